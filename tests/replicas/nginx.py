"""nginx as Debian packs it, unpacked into the build folder, run without privileges before replicas on this machine."""

import datetime
import fcntl
import ipaddress
import os
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.http.servers import wait

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build" / "nginx"
SHIPPED = ROOT / "deploy" / "nginx.conf"
# Around the shipped file, what /etc/nginx/nginx.conf says on a real machine.
AROUND = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
worker_processes 1;
events {{ worker_connections 512; }}
http {{
    log_format attempts "$status $upstream_addr $upstream_status $request_time";
    access_log {folder}/access.log attempts;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/mcp-daan.conf;
}}
"""


def program() -> Path:
    """The nginx of the build folder, fetched with apt the first time."""
    place = BUILD / "unpacked" / "usr" / "sbin" / "nginx"
    BUILD.mkdir(parents=True, exist_ok=True)
    with (BUILD / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (BUILD / "installed").is_file():
            missing = [name for name in ("apt-get", "apt-cache", "dpkg-deb") if shutil.which(name) is None]
            assert not missing, f"nginx is fetched as a Debian package, and this machine has no {', '.join(missing)}."
            _fetch()
            (BUILD / "installed").touch()
    return place


def _fetch() -> None:
    """Download nginx and the libraries it names, with lists of our own: the system's may be absent, or not ours."""
    for folder in ("lists/partial", "cache/archives/partial", "packages"):
        (BUILD / folder).mkdir(parents=True, exist_ok=True)
    own = [f"-oDir::State::lists={BUILD}/lists", f"-oDir::Cache={BUILD}/cache", "-oAPT::Sandbox::User="]
    _ran("apt-get", *own, "--quiet", "update")
    named = _ran("apt-cache", *own, "depends", "nginx")
    libraries = {name for name in re.findall(r"Depends: (lib[\w.+-]+)", named) if name != "libc6"}
    _ran("apt-get", *own, "--quiet", "download", "nginx", *sorted(libraries), folder=BUILD / "packages")
    for package in sorted((BUILD / "packages").glob("*.deb")):
        _ran("dpkg-deb", "-x", str(package), str(BUILD / "unpacked"))


def _ran(*command: str, folder: Path | None = None) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, f"{command[0]}: {done.stderr}"
    return done.stdout


def environment() -> dict[str, str]:
    """Where its libraries are, besides the system's."""
    folders = sorted({str(path.parent) for path in (BUILD / "unpacked").rglob("*.so*")})
    return {**os.environ, "LD_LIBRARY_PATH": os.pathsep.join(folders)}


def certificate(folder: Path) -> None:
    """A certificate for this machine, made for one run."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    (folder / "server.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "server.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    )


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def shipped(folder: Path, port: int, replicas: Sequence[int]) -> str:
    """The file as it is shipped, with the ports, the name and the certificate of this run; every change must fit."""
    text = SHIPPED.read_text(encoding="utf-8")
    server = re.compile(r"(?m)^    server 127\.0\.0\.1:\d+ (.*;)\n")
    lines = "".join(f"    server 127.0.0.1:{each} {server.findall(text)[0]}\n" for each in replicas)
    at = server.search(text)
    assert at is not None
    text = text[: at.start()] + lines + server.sub("", text[at.start() :])
    for old, new in {
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "server_name mcp.example.com": "server_name localhost",
        "/etc/ssl/certs/mcp.example.com.pem": f"{folder}/server.pem",
        "/etc/ssl/private/mcp.example.com.key": f"{folder}/server.key",
    }.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


class Balancer:
    """nginx with the shipped configuration before *replicas*."""

    def __init__(self, folder: Path, replicas: Sequence[int], port: int) -> None:
        self.folder, self.port = folder, port
        folder.mkdir()
        certificate(folder)
        (folder / "mcp-daan.conf").write_text(shipped(folder, port, replicas), encoding="utf-8")
        (folder / "nginx.conf").write_text(AROUND.format(folder=folder), encoding="utf-8")
        self._command = [str(program()), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where clients find the team's server."""
        return f"https://localhost:{self.port}/mcp"

    @property
    def trust(self) -> ssl.SSLContext:
        """What a client needs to believe the certificate."""
        return ssl.create_default_context(cafile=str(self.folder / "server.pem"))

    def checked(self) -> str:
        """What `nginx -t` says."""
        done = subprocess.run([*self._command, "-t"], capture_output=True, text=True, env=environment(), timeout=30)
        return done.stderr

    def start(self) -> None:
        """Begin, and return once it listens."""
        self._process = subprocess.Popen(self._command, env=environment())
        assert wait(self._listens), (self.folder / "error.log").read_text()

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def errors(self) -> str:
        """What it noticed."""
        return (self.folder / "error.log").read_text(encoding="utf-8")

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
