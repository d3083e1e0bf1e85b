"""What conf/ gives to clusters and containers, taken as an operator takes it: rendered, held against the schemas
of Kubernetes and Compose, and run with the settings that its pods have."""

import json
import re
import subprocess
import sys
from pathlib import Path

import compose_spec
import kubernetes_validate
import pytest
import yaml

from harness.clock import until
from harness.daemon import ROOT, Daemon, clean_environment, plain_client, program

CONF = ROOT / "conf"
FOLDERS = ("shared", "sidecar")
SECRET = {"OPENAI_API_KEY": "sk-cluster", "ADMIN_TOKEN": "token-of-the-cluster"}


def rendered(folder):
    kubectl = Path(sys.executable).with_name("kubectl")
    command = [str(kubectl), "kustomize", str(CONF / "kubernetes" / folder)]
    return list(yaml.safe_load_all(subprocess.run(command, capture_output=True, text=True, check=True).stdout))


def only(documents, kind):
    (found,) = [d for d in documents if d["kind"] == kind]
    return found


def workload(folder):
    return only(rendered(folder), {"shared": "StatefulSet", "sidecar": "Deployment"}[folder])


def container_of(pod):
    (found,) = [c for c in pod["spec"]["containers"] if c["name"] == "recalld"]
    return found


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("version", ["1.29", kubernetes_validate.latest_version()])
def test_manifests_are_valid(folder, version):
    documents = [d for d in rendered(folder) if "monitoring.coreos.com" not in d["apiVersion"]]
    assert len(documents) >= 3
    for document in documents:
        kubernetes_validate.validate(document, version, strict=True)


def test_a_misspelt_manifest_would_be_noticed():
    document = only(rendered("shared"), "Service")
    document["spec"]["selektor"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(document, "1.29", strict=True)


def test_the_parts_of_the_shared_one_find_each_other():
    documents = rendered("shared")
    pod = workload("shared")["spec"]["template"]
    labels = pod["metadata"]["labels"].items()
    ports = {p["name"]: p["containerPort"] for p in container_of(pod)["ports"]}
    policy = only(documents, "NetworkPolicy")["spec"]
    monitor = only(documents, "PodMonitor")["spec"]
    service = only(documents, "Service")["spec"]
    for selector in (service["selector"], policy["podSelector"]["matchLabels"], monitor["selector"]["matchLabels"]):
        assert selector.items() <= labels
    assert service["ports"][0]["targetPort"] in ports
    assert monitor["podMetricsEndpoints"][0]["port"] in ports
    from_all, from_monitoring = policy["ingress"]
    assert [p["port"] for p in from_all["ports"]] == [ports["http"]]
    assert [p["port"] for p in from_monitoring["ports"]] == [ports["admin"]]
    assert "namespaceSelector" in from_monitoring["from"][0]


@pytest.mark.parametrize("folder", FOLDERS)
def test_what_a_pod_mounts_is_there(folder):
    kind = workload(folder)
    pod = kind["spec"]["template"]["spec"]
    volumes = {v["name"] for v in pod["volumes"]}
    volumes |= {c["metadata"]["name"] for c in kind["spec"].get("volumeClaimTemplates", [])}
    container = container_of(kind["spec"]["template"])
    mounts = {m["mountPath"]: m["name"] for m in container["volumeMounts"]}
    assert set(mounts.values()) <= volumes and "/var/lib/recalld" in mounts
    assert str(Path(container["args"][1]).parent) in mounts
    assert container["securityContext"]["readOnlyRootFilesystem"]


class Pod(Daemon):
    """The daemon with the ConfigMap, the environment and the Secret of a rendered pod, on ports of its own."""

    def __init__(self, folder, directory):
        super().__init__(directory)
        self.container = container_of(workload(folder)["spec"]["template"])
        self.keys = directory / "keys"
        self.keys.mkdir()
        for name in SECRET:
            self.write_key(name, SECRET[name])
        self.environment = {e["name"]: self.with_keys(e["value"]) for e in self.container["env"]} | {
            "RECALLD_LISTEN_ADDRESS": f"127.0.0.1:{self.port}",
            "RECALLD_LISTEN_ADMIN": f"127.0.0.1:{self.admin_port}",
            "RECALLD_STORAGE_PATH": str(directory / "store"),
        }
        self.config = {"listen": {}}  # probes need no token
        (text,) = only(rendered(folder), "ConfigMap")["data"].values()
        self.text = self.with_keys(text)

    def with_keys(self, text):
        """With the keys where they are here."""
        (mount,) = [m["mountPath"] for m in self.container["volumeMounts"] if m["name"] == "keys"]
        return text.replace(mount, str(self.keys))

    def write_key(self, name, key):
        path = self.keys / name
        path.unlink(missing_ok=True)
        path.touch(mode=0o440)
        path.write_text(key)

    def write_configuration(self):
        self.config_file.write_text(self.text)

    def run(self, command):
        """A command of the container, in it; its exit status."""
        assert command[0] == "recallctl"
        here = {self.container["args"][1]: str(self.config_file)}
        arguments = [program("proxy/recallctl"), *(here.get(a, a) for a in command[1:])]
        return subprocess.run(arguments, env=clean_environment(**self.environment), capture_output=True).returncode

    def answers(self, probe):
        path = self.container[probe]["httpGet"]["path"]
        with plain_client() as client:
            return client.get(f"http://127.0.0.1:{self.admin_port}{path}").status_code == 200


@pytest.fixture
def start_pod(tmp_path):
    pods = []

    def start(folder):
        pods.append(Pod(folder, tmp_path / folder))
        return pods[-1].start()

    yield start
    for pod in pods:
        pod.stop()


def test_the_shared_pod_answers_its_probes_and_its_monitor(start_pod):
    pod = start_pod("shared")
    assert all(pod.answers(probe) for probe in ("startupProbe", "readinessProbe", "livenessProbe"))
    endpoint = only(rendered("shared"), "PodMonitor")["spec"]["podMetricsEndpoints"][0]
    token = SECRET[endpoint["authorization"]["credentials"]["key"]]
    with_token = {"headers": {"Authorization": f"Bearer {token}"}}
    assert pod.admin("GET", endpoint["path"], **with_token).status_code == 200
    assert pod.admin("GET", endpoint["path"], headers={}).status_code == 401
    pod.write_key("ADMIN_TOKEN", "the-next-token-of-the-cluster")
    with_next = {"headers": {"Authorization": "Bearer the-next-token-of-the-cluster"}}
    until(lambda: pod.admin("GET", endpoint["path"], **with_next).status_code == 200, "the Secret changed unnoticed")
    assert "warn" not in {json.loads(line)["level"] for line in pod.stderr_lines}, pod.stderr


def test_the_sidecar_s_probe_tells_a_daemon_that_runs_from_one_that_does_not(start_pod):
    pod = start_pod("sidecar")
    probe = pod.container["readinessProbe"]["exec"]["command"]
    assert pod.run(probe) == 0
    pod.stop()
    assert pod.run(probe) != 0


def test_the_pods_log_is_json(start_pod):
    """Each line, from the first to the last; the example of recalld(8) reads it."""
    pod = start_pod("sidecar")
    pod.request("GET", "/nowhere", headers={"Host": "elsewhere"})
    pod.stop()
    events = [json.loads(line) for line in pod.stderr_lines]
    assert all({"time", "level", "message"} <= event.keys() for event in events)
    page = (CONF / "man/recalld.8").read_text()
    (filter,) = re.findall(r"jq -cR '(.*)'", page.replace("\\(dq", '"'))
    found = subprocess.run(["jq", "-cR", filter], input="\n".join(pod.stderr_lines), capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    assert [json.loads(line)["status"] for line in found.stdout.splitlines()] == [421]


def test_the_compose_file_is_valid_and_its_parts_find_each_other():
    path = CONF / "compose.yaml"
    text = path.read_text()
    compose_spec.PyCompose.from_yaml(text).validate()
    services = yaml.safe_load(text)["services"]
    recalld, webui = services["recalld"], services["open-webui"]
    assert recalld["environment"]["RECALLD_UPSTREAM_BASE_URL"] == "http://ollama:11434/v1" and "ollama" in services
    exposed = re.search(r"^EXPOSE (\d+)", (CONF / "Containerfile").read_text(), re.M)[1]
    assert webui["environment"]["OPENAI_API_BASE_URL"] == f"http://recalld:{exposed}/v1"
    assert (CONF / recalld["build"]["context"] / recalld["build"]["dockerfile"]).exists()
    headers = json.loads(webui["environment"]["OPENAI_API_CONFIGS"])["0"]["headers"]
    defaults = (CONF / "recalld.conf").read_text()
    assert len(headers) == 3 and all(name in defaults for name in headers)
    mounts = [m.split(":")[1] for m in recalld["volumes"]]
    assert mounts == re.findall(r"^VOLUME (\S+)", (CONF / "Containerfile").read_text(), re.M)
