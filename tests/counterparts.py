"""Real counterparts that tests talk to: programs started on 127.0.0.1 and stopped by process id.

Load it from a conftest with `importlib.util.spec_from_file_location`; fixtures live there.
"""

import configparser
import getpass
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

PKG_RESOURCES = """\
from importlib.metadata import PackageNotFoundError as DistributionNotFound
from importlib.metadata import distribution as get_distribution
"""


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Taky:
    """A taky server in a folder of its own; with ``tls`` it is an authority and wants client certificates.

    taky 0.10 asks pkg_resources for its own version, a module that setuptools ships up to version 80
    only. Where it is missing, taky's processes get that one question answered from importlib.metadata.
    """

    def __init__(self, programs: Path, folder: Path, *, tls: bool) -> None:
        self.programs, self.folder, self.tls = programs, folder / "site", tls
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self._environment = self._with_pkg_resources(folder)
        ssl_flag = [] if tls else ["--no-ssl"]
        self._takyctl(
            folder, "setup", *ssl_flag, "--bind-ip", "127.0.0.1", "--public-ip", "127.0.0.1",
            "--host", "localhost", str(self.folder),
        )  # fmt: skip
        self._choose_port()

    @property
    def url(self) -> str:
        """The address a `TakServerPeer` connects to; the certificate names the host localhost."""
        return f"cot+tls://localhost:{self.port}" if self.tls else f"cot+tcp://127.0.0.1:{self.port}"

    @property
    def cafile(self) -> str:
        """The authority's certificate."""
        return str(self.folder / "ssl" / "ca.crt")

    @property
    def server_files(self) -> tuple[str, str]:
        """Certificate and key for a server on localhost."""
        return str(self.folder / "ssl" / "server.crt"), str(self.folder / "ssl" / "server.key")

    def client_files(self, name: str) -> tuple[str, str]:
        """Certificate and key of a new client, as `takyctl build_client` makes them."""
        self._takyctl(self.folder, "-c", str(self.folder / "taky.conf"), "build_client", "--dump_pem", name)
        (certificate,) = self.folder.glob(f"{name}-*.crt")
        return str(certificate), str(certificate.with_suffix(".key"))

    def start(self) -> None:
        """Run the server and return when it accepts connections."""
        with (self.folder / "taky.log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    str(self.programs / "taky"),
                    "-l",
                    "debug",
                    "-c",
                    str(self.folder / "taky.conf"),
                ],
                cwd=self.folder,
                env=self._environment,
                stdout=log,
                stderr=log,
            )
        for _ in range(600):
            if self.process.poll() is not None:
                break
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise RuntimeError(f"taky does not listen:\n{self.log()}")

    def stop(self) -> None:
        """End the server, by force if it does not go."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def log(self) -> str:
        """What the server has to say."""
        return (self.folder / "taky.log").read_text(errors="replace")

    def _takyctl(self, folder: Path, *arguments: str) -> None:
        command = [sys.executable, str(self.programs / "takyctl"), *arguments]
        done = subprocess.run(
            command, cwd=folder, env=self._environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise RuntimeError(f"takyctl {arguments[0]} failed:\n{done.stdout}{done.stderr}")

    def _with_pkg_resources(self, folder: Path) -> dict[str, str]:
        environment = dict(os.environ)
        if importlib.util.find_spec("pkg_resources") is None:
            modules = folder / "modules"
            modules.mkdir()
            (modules / "pkg_resources.py").write_text(PKG_RESOURCES)
            paths = [str(modules), environment.get("PYTHONPATH", "")]
            environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
        return environment

    def _choose_port(self) -> None:
        path = self.folder / "taky.conf"
        config = configparser.ConfigParser(allow_no_value=True)
        config.read(path)
        config.set("cot_server", "port", str(self.port))
        config.remove_option("cot_server", "mon_ip")
        with path.open("w") as file:
            config.write(file)


class Mosquitto:
    """A mosquitto broker in a folder of its own, with a user and password; ``tls``: certificate and key."""

    def __init__(self, program: str, folder: Path, *, tls: tuple[str, str] | None = None) -> None:
        self.program, self.folder = program, folder
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        passwords = folder / "passwords"
        passwd = shutil.which("mosquitto_passwd") or str(Path(program).parent / "mosquitto_passwd")
        subprocess.run([passwd, "-c", "-b", str(passwords), "vedette", "s3cret"], check=True)
        lines = [f"listener {self.port} 127.0.0.1", "allow_anonymous false", f"password_file {passwords}"]
        lines += [
            "persistence false",
            f"user {getpass.getuser()}",
            f"log_dest file {folder / 'mosquitto.log'}",
        ]
        if tls is not None:
            lines += [f"certfile {tls[0]}", f"keyfile {tls[1]}"]
        (folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")

    def start(self) -> None:
        """Run the broker and return when it accepts connections."""
        self.process = subprocess.Popen([self.program, "-c", str(self.folder / "mosquitto.conf")])
        for _ in range(600):
            if self.process.poll() is not None:
                break
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise RuntimeError("mosquitto does not listen")

    def stop(self) -> None:
        """End the broker, by force if it does not go."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None
