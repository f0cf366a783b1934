"""A workspace, a home and a Cloudflare in which every place that can hold a secret holds a planted one."""

import base64
import hashlib
import json
import os
import re
import secrets
import subprocess
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import apsw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mcp_daan.demo.workspace import APP, make_workspace
from mcp_daan.tokens.sealed import readings
from mcp_daan.wrangler import dev_vars, read_config
from tests.canary.canaries import Canaries
from tests.node.kv import in_kv, put
from tests.tokens.cloud import ACCOUNT, TOKEN_ID, Cloud, good

FAR = "33333333-2222-3333-4444-555555555555"
BACKEND = Path("docs/knowledge/backend")


class World:
    """Everything below *folder*; `cloud` stands for Cloudflare and answers with the planted rows and values."""

    def __init__(self, folder: Path) -> None:
        self.canaries = Canaries()
        self.home = folder / "home"
        self.workspace = folder / "workspace"
        make_workspace(self.workspace, datetime.now(UTC))
        self.key = base64.b64decode(dev_vars(self.app)["TOKEN_ENCRYPTION_KEY"])
        self.keys = (self.key, base64.b64encode(self.key), self.key.hex().encode())
        for each in self.keys:
            self.canaries.raw(each)
        (self.file,) = [each for each in self.app.rglob("d1/*/*.sqlite") if each.name != "metadata.sqlite"]
        self._plant_rows()
        self._plant_documents()
        self._plant_kv()
        self._plant_login()
        self._plant_variables()
        self.cloud = Cloud()
        self.environment = self._environment()
        self._plant_cloud()

    @property
    def app(self) -> Path:
        """The portal's folder."""
        return self.workspace / APP

    def close(self) -> None:
        """End it."""
        self.cloud.close()

    # --- the database ---

    def _plant_rows(self) -> None:
        with closing(apsw.Connection(str(self.file))) as database:
            for stored in database.execute("SELECT access_token_enc, refresh_token_enc FROM connections").fetchall():
                for value in stored:
                    self._plant_sealed(value)
            for (digest,) in database.execute("SELECT key_hash FROM api_keys").fetchall():
                self.canaries.raw(str(digest).encode())
            text = self.canaries.text
            database.execute(
                "CREATE TABLE vault (id INTEGER PRIMARY KEY, client_secret, password_hash, session_cookie, note,"
                " copied TEXT AS (substr(client_secret, 1, 90)) STORED, plain TEXT DEFAULT 'x')"
            )
            database.execute("CREATE VIEW open_vault AS SELECT id, client_secret AS remark, copied FROM vault")
            for number in range(1, 4):
                values = (number, text(), text(), text("sess-"), f"see {text('stampNL001.')}, and {text('cfut_')}")
                database.execute("INSERT INTO vault VALUES (?, ?, ?, ?, ?, 'x')", values)
            database.execute("UPDATE api_keys SET key_hash = ? WHERE id = (SELECT min(id) FROM api_keys)", (text(),))
            for number, sealed in enumerate(
                (text("stampNL001."), text("plain-access-token-"), f"v1:{text()}:{text()}"), 5
            ):
                database.execute("UPDATE connections SET access_token_enc = ? WHERE id = ?", (sealed, number))
            database.execute("UPDATE connections SET last_error = ? WHERE id = 3", (f"401 {text('stampNL001.')}",))

    def _plant_sealed(self, stored: str | None) -> None:
        if not stored:
            return
        self.canaries.raw(stored.encode())
        for reading in readings(stored):
            self.canaries.raw(reading.body)
            try:
                self.canaries.raw(AESGCM(self.key).decrypt(reading.nonce, reading.body, None))
            except InvalidTag:
                continue

    # --- files ---

    def _plant_documents(self) -> None:
        shaped = [self.canaries.text(shape) for shape in ("stampNL001.", "cfut_", "cfat_", "ghp_", "sk-")]
        key = base64.b64encode(self.key).decode()
        text = f"# Incident\n\nThe key was {key}, or {self.key.hex()}.\n\n## Tokens\n\n" + "\n".join(shaped) + "\n"
        (self.workspace / BACKEND / "INCIDENT.md").write_text(text, encoding="utf-8")
        with (self.workspace / BACKEND / "LESSONS-LEARNED.md").open("a", encoding="utf-8") as view:
            view.write(f"\n## A lesson by hand\n\nNever write {self.canaries.text('stampNL001.')} down.\n")
        migration = self.app / "migrations" / "0008_seed.sql"
        migration.write_text(f"INSERT INTO users (name) VALUES ('{self.canaries.text('cfut_')}');\n", encoding="utf-8")
        message = f"Rotate the OAuth token {self.canaries.text('stampNL001.')}"
        for command in (
            ["add", "-A"],
            ["commit", "-q", "-m", message, "--author", f"{self.canaries.text('ghp_')} <a@b.c>"],
        ):
            subprocess.run(
                ["git", "-c", "user.name=T", "-c", "user.email=t@e.x", *command], cwd=self.workspace, check=True
            )

    def _plant_kv(self) -> None:
        text = self.canaries.text
        bound = read_config(self.app / "wrangler.jsonc").bound("kv_namespaces")
        self.namespace = next(str(each["id"]) for _, each in bound if each["binding"] == "SESSION")
        digest = hashlib.sha256(text().encode()).hexdigest()
        self.entries: dict[str, str] = {
            f"session:{text()}": json.dumps({"user": 1, "access_token": text()}),
            "config": f"client {text('stampNL001.')}",
            "api_token": text(),
            "profile:1": json.dumps({"name": "Kees", "refresh_token": text(), "note": text("cfut_")}),
            f"grant:{text('user-')}:{secrets.token_urlsafe(12)}": json.dumps({"refreshTokenId": digest}),
            f"token:{text('user-')}:g1:{self.canaries.raw(digest.encode()).decode()}": "{}",
            f"client:{text()}": json.dumps({"clientSecret": text()}),
        }
        metadata = {"clientId": text(), "secret": text()}
        state = self.app / ".wrangler" / "state" / "v3"
        in_kv(state, self.namespace, *(put(name, value, metadata=metadata) for name, value in self.entries.items()))

    def _plant_login(self) -> None:
        file = self.home / ".config" / ".wrangler" / "config" / "default.toml"
        file.parent.mkdir(parents=True)
        tokens = {name: self.canaries.text("cfoat_") for name in ("oauth_token", "refresh_token", "api_token")}
        lines = [f'{name} = "{value}"' for name, value in tokens.items()]
        file.write_text("\n".join([*lines, 'expiration_time = "2026-01-01T00:00:00Z"', 'scopes = ["d1:write"]', ""]))

    def _plant_variables(self) -> None:
        with (self.app / ".dev.vars").open("a", encoding="utf-8") as file:
            file.write(f'EXACT_CLIENT_SECRET="{self.canaries.text()}"\nSESSION_PASSWORD={self.canaries.text()}\n')
        toml = (
            (self.workspace / "daan.toml").read_text(encoding="utf-8")
            if (self.workspace / "daan.toml").is_file()
            else ""
        )
        far = f'\n[d1.databases.far]\nid = "{FAR}"\naccount_id = "{ACCOUNT}"\n'
        (self.workspace / "daan.toml").write_text(toml + far, encoding="utf-8")

    def _environment(self) -> dict[str, str]:
        """The environment of the process: its own folders, and a secret in every variable that may hold one."""
        text = self.canaries.text
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "PYTHONPATH") if name in os.environ}
        folders = {f"XDG_{kind}_HOME": str(self.home / kind.lower()) for kind in ("CACHE", "DATA", "STATE")}
        return {
            **kept,
            **folders,
            "HOME": str(self.home),
            "GIT_CONFIG_NOSYSTEM": "1",
            "TOKEN_ENCRYPTION_KEY": base64.b64encode(self.key).decode(),
            "TOKEN_ENCRYPTION_KEY_PREVIOUS": self.canaries.raw(secrets.token_bytes(32).hex().encode()).decode(),
            "EXACT_CLIENT_SECRET": text(),
            "CLOUDFLARE_API_KEY": text(),
            **self.cloud.environment(text("cfut_")),
            "DAAN_OAUTH_URL": self.cloud.base.removesuffix("/client/v4"),
            "DAAN_LIMITS_REQUEST_SECONDS": "5",
        }

    # --- Cloudflare ---

    def _plant_cloud(self) -> None:
        account = f"accounts/{ACCOUNT}"
        values = f"{account}/storage/kv/namespaces/{self.namespace}"
        listed = [{"name": name, "metadata": {"clientId": "c", "token": self.canaries.text()}} for name in self.entries]
        self.cloud.answers |= {
            "user/tokens/verify": good({"id": TOKEN_ID, "status": "active"}),
            f"{account}/d1/database": good([{"uuid": FAR, "name": "far", "version": "production"}], total_count=1),
            f"{account}/d1/database/{FAR}": good({"uuid": FAR, "name": "far", "file_size": 4096}),
            f"{account}/d1/database/{FAR}/raw": lambda query, body: self._far(body["sql"], body.get("params", [])),
            f"{account}/storage/kv/namespaces": good([{"id": self.namespace, "title": "SESSION"}], total_count=1),
            f"{values}/keys": good(listed, count=len(listed), cursor=""),
            f"{account}/workers/scripts": good([{"id": "auth-portal"}]),
        }
        for name, value in self.entries.items():
            self.cloud.answers[f"{values}/values/{name}"] = (200, value.encode())
            self.cloud.answers[f"{values}/metadata/{name}"] = good({"token": self.canaries.text()})

    def _far(self, sql: str, parameters: list[Any]) -> Any:
        """What D1 answers to one statement: the local file's rows, or an error that quotes what it was asked."""
        meta = {"duration": 0.1, "rows_read": 1, "rows_written": 0, "served_by": "v3-prod", "served_by_region": "WEUR"}
        try:
            with closing(apsw.Connection(str(self.file), flags=apsw.SQLITE_OPEN_READONLY)) as database:
                cursor = database.execute(sql, parameters)
                columns = [name for name, *_ in cursor.description_full] if cursor.expanded_sql else []
                rows = [[list(each) if isinstance(each, bytes) else each for each in row] for row in cursor]
        except (apsw.Error, UnicodeDecodeError):
            quoted = f"near '{self.canaries.planted[5].decode('latin-1')}': syntax error: SQLITE_ERROR"
            return 400, {
                "success": False,
                "errors": [{"code": 7500, "message": quoted}],
                "messages": [],
                "result": None,
            }
        return good([{"results": {"columns": columns, "rows": rows}, "success": True, "meta": meta}])

    def refusing(self, status: int = 403, code: int = 10000) -> None:
        """Let Cloudflare refuse everything, quoting the token that it was sent and what it knows."""
        token = self.environment["CLOUDFLARE_API_TOKEN"]
        known = re.sub(r"\s", " ", self.canaries.planted[0].decode("latin-1"))
        said = {"success": False, "errors": [{"code": code, "message": f"bad token {token} {known}"}], "result": None}
        self.cloud.answers = {path: (status, {**said, "messages": [token]}) for path in self.cloud.answers}
