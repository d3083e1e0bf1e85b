"""Open WebUI as its users meet it: the application in a process of its own, and a page of it in Chromium."""

import os
import shutil
import subprocess
import time
import uuid
from pathlib import Path
from urllib.parse import quote

import httpx
from selenium import webdriver
from selenium.common.exceptions import WebDriverException

from harness.daemon import clean_environment, free_port

PASSWORD = "not-a-secret"

# A tool, so that the application asks the model which to use.
TOOL = '''
class Tools:
    def tide(self, harbour: str) -> str:
        """When the tide is high.
        :param harbour: where"""
        return "at noon"
'''


def until(condition, what, timeout=60):
    """What the condition gives once it is true. A page that is being redrawn is looked at again."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        try:
            if found := condition():
                return found
        except WebDriverException:
            pass
        time.sleep(0.1)
    raise AssertionError(f"in {timeout} s there was not: {what}")


class Application:
    def __init__(self, folder, model_base_url):
        self.origin = f"http://127.0.0.1:{free_port()}"
        data = Path(folder) / "data"
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir(parents=True)
        settings = {
            "DATA_DIR": str(data), "OFFLINE_MODE": "True", "HF_HUB_OFFLINE": "1", "ENABLE_PERSISTENT_CONFIG": "False",
            "ENABLE_OLLAMA_API": "False", "OPENAI_API_BASE_URLS": model_base_url, "OPENAI_API_KEYS": "test-key",
            "ENABLE_FORWARD_USER_INFO_HEADERS": "True", "BYPASS_EMBEDDING_AND_RETRIEVAL": "True", "ANONYMIZED_TELEMETRY": "False",
            "DO_NOT_TRACK": "true", "ENABLE_VERSION_UPDATE_CHECK": "False", "WEBUI_SECRET_KEY": "test",
            "ENABLE_MEMORIES": "True", "ENABLE_MEMORY_BACKGROUND_REVIEW": "True", "MEMORIES_REVIEW_INTERVAL_TURNS": "1",
            "PYTHONPATH": "",
        }  # fmt: skip
        program = Path(folder) / "venv/bin/open-webui"
        command = [program.resolve(), "serve", "--host", "127.0.0.1", "--port", self.origin.rpartition(":")[2]]
        with open(Path(folder) / "open-webui.log", "wb") as log:
            self.process = subprocess.Popen(command, cwd=data, stdout=log, stderr=log, env=clean_environment(**settings))
        until(self._is_up, "Open WebUI's /health", timeout=600)
        self.admin = self.call("/auths/signup", name="Admin", email="admin@example.com", password=PASSWORD)["token"]
        self.version = httpx.get(self.origin + "/api/version", trust_env=False).json()["version"]
        meta = {"description": "", "manifest": {}}
        self.call("/tools/create", self.admin, id="tide", name="Tide", content=TOOL, meta=meta, access_grants=[])

    def _is_up(self):
        assert self.process.poll() is None, "Open WebUI ended at its start; see open-webui.log"
        try:
            return httpx.get(self.origin + "/health", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    def call(self, path, token=None, **body):
        fields = {"Authorization": f"Bearer {token}"} if token else {}
        reply = httpx.post(f"{self.origin}/api/v1{path}", json=body, headers=fields, timeout=60, trust_env=False)
        assert reply.status_code == 200, f"{path}: {reply.status_code} {reply.text}"
        return reply.json()

    def new_user(self, **settings):
        """One that nothing is known of: (id, token)."""
        email = f"{uuid.uuid4().hex}@example.com"
        made = self.call("/auths/add", self.admin, name="Mara Person", email=email, password=PASSWORD, role="admin")
        interface = {"version": self.version, "showChangelog": False, "showUpdateToast": False}
        self.call("/users/user/settings/update", made["token"], ui=interface | settings)
        return made["id"], made["token"]

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()


class Page:
    """A tab of one user's."""

    def __init__(self, application, token):
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
                         "--no-proxy-server", "--window-size=1300,1000"):  # fmt: skip
            options.add_argument(argument)
        self.driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
        self.origin = application.origin
        self.driver.get(self.origin + "/auth")
        self.run("localStorage.token = arguments[0]", token)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    @property
    def text(self):
        return self.run("return document.body.innerText")

    def open(self, question, **options):
        """A new chat with the question in its input."""
        query = "&".join(f"{name.replace('_', '-')}={quote(value)}" for name, value in options.items())
        self.driver.get(f"{self.origin}/?{query}&q={quote(question)}")
        self._until_typed(question)

    def type(self, question):
        self.run("document.querySelector('#chat-input').focus()")
        self.driver.execute_cdp_cmd("Input.insertText", {"text": question})
        self._until_typed(question)

    def _until_typed(self, question):
        until(lambda: question in self.run("return document.querySelector('#chat-input').innerText"), "the question in the input")

    def click(self, selector, which=-1):
        """The last that matches, once it is there and enabled."""
        script = """const all = [...document.querySelectorAll(arguments[0])].filter(e => !e.disabled);
            const one = all.at(arguments[1]);
            if (one) one.click();
            return one !== undefined"""
        until(lambda: self.run(script, selector, which), selector)

    def click_text(self, text):
        script = """const one = [...document.querySelectorAll('button')].filter(e => e.innerText.trim() === arguments[0]).at(-1);
            if (one) one.click();
            return one !== undefined"""
        until(lambda: self.run(script, text), f"a button {text}")

    def send(self):
        self.click("#send-message-button")

    def until_shown(self, text):
        until(lambda: text in self.text, f"{text!r} on the page")

    def attach(self, path):
        until(lambda: self.driver.find_elements("css selector", "input[type=file]"), "an input for files")
        self.driver.find_elements("css selector", "input[type=file]")[0].send_keys(os.path.abspath(path))
        self.until_shown(os.path.basename(path).partition(".")[0])

    def close(self):
        self.driver.quit()
