"""The settings of one instance.

Where a value comes from, first wins: command-line option, environment variable, `haitang.toml` at the top of the checkout, the default here.
`SETTINGS` is the one table: the reference page, `--help` and the checks are made from it.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from haitang.base.errors import error

BAD_SETTING = error("base.bad_setting", 400, "设置 {name} 的值 {value} 不可用：{reason}")


@dataclass(frozen=True)
class Setting:
    """One setting: its variable, type, default and meaning."""

    name: str
    type: type
    default: Any
    help: str
    secret: bool = False

    @property
    def variable(self) -> str:
        return f"HAITANG_{self.name.upper()}"


SETTINGS: tuple[Setting, ...] = (
    Setting("data", Path, Path(".haitang"), "data directory of the instance"),
    Setting("place", str, "dazu", "place: a name under places/ or a folder"),
    Setting("applications", str, "", "folders of outside applications, separated by :"),
    Setting("host", str, "127.0.0.1", "address that pages and device listeners listen on"),
    Setting("http", int, 8000, "port of pages and APIs"),
    Setting("hj212", int, 9212, "port of the HJ 212 listener"),
    Setting("mqtt", int, 1883, "port of the MQTT listener"),
    Setting("hj212_admit", bool, False, "commissioning mode: admit unknown stations provisionally"),
    Setting("database_url", str, "", "PostgreSQL by URL instead of the embedded one", secret=True),
    Setting("nats_url", str, "", "NATS by URL instead of the embedded one", secret=True),
    Setting("lake", str, "", "lake folder or s3:// address; default: lake/ in the data directory"),
    Setting("secret_key", str, "", "key that signs sessions; default: made at the first start and kept in the data directory", secret=True),
    Setting("public_url", str, "", "address by which people reach this instance; default: from host and port"),
    Setting("demo", bool, False, "this instance is a demonstration: personas may be switched"),
    Setting("web_workers", int, 2, "processes of the control plane"),
    Setting("mail_url", str, "", "smtp://user:password@host:port of outgoing mail; empty: no mail", secret=True),
    Setting("mail_from", str, "haitang@localhost", "sender of outgoing mail"),
    Setting("dingtalk_webhook", str, "", "address of the DingTalk robot; empty: none", secret=True),
    Setting("dingtalk_secret", str, "", "signing secret of the DingTalk robot", secret=True),
    Setting("oidc_issuer", str, "", "outside OpenID provider by which staff may sign in, exactly as it names itself; empty: none"),
    Setting("oidc_client_id", str, "", "our client id at the outside OpenID provider"),
    Setting("oidc_client_secret", str, "", "our client secret at the outside OpenID provider", secret=True),
    Setting("oidc_title", str, "统一身份认证", "what the sign-in page calls the outside OpenID provider"),
    Setting("oidc_scope", str, "openid profile", "scopes asked of the outside OpenID provider"),
    Setting(
        "oidc_link", str, "employee_number=staff_number", "claim=field by which a person is found: field is staff_number, username or email"
    ),
    Setting("tiles_url", str, "", "map tiles under the boundary ({z}/{x}/{y}); empty: none, the normal case in a closed network"),
    Setting("seal_seconds", int, 20, "seconds between two seals of the evidence ledger"),
    Setting(
        "suite",
        str,
        "ed25519-sha256",
        "signatures and hashes of the evidence ledger: ed25519-sha256 or sm2-sm3; a change holds from the next key rotation on. Rows inside blocks of the lake "
        "stay SHA-256 under either (docs/adr/0046)",
    ),
    Setting("key_passphrase", str, "", "passphrase that private key files are sealed with; empty: files of mode 0600 only", secret=True),
    Setting("tsa_url", str, "", "time-stamp service (RFC 3161) for the roots of the evidence ledger; empty: none"),
    Setting("tsa_ca", str, "", "file with the certificates (PEM) that the time-stamp service must chain to"),
    Setting("tsa_every", int, 0, "time-stamp every n-th seal besides the last of each day; 0: only that"),
    Setting("upstream_url", str, "", "address of the node above, which keeps this node's daily roots; empty: none"),
    Setting("evidence_months", int, 12, "months that evidence stays in the database before it moves into sealed archives; at least 6"),
    Setting(
        "outgoing_allow",
        str,
        "",
        "networks (10.0.0.0/8) and host names that outgoing connections may reach although they are not public: sign-in provider, robot, time stamps, broker, node above",
    ),
    Setting(
        "device_connections",
        int,
        15_000,
        "connections that the MQTT and the HJ 212 listener each hold at once; 0: as many as open files allow",
    ),
    Setting(
        "device_connections_of_address",
        int,
        5_000,
        "of these, how many one address may have (devices behind one gateway share it); 0: no limit of its own",
    ),
    Setting("page_connections", int, 4000, "connections to pages and APIs at once; 0: no limit"),
    Setting(
        "page_connections_of_address",
        int,
        2000,
        "of these, how many one address may have (readers behind one proxy share it); 0: no limit of its own",
    ),
    Setting("request_rate", int, 1000, "requests a second that one address may send to pages and APIs (twice that at once); 0: no limit"),
    Setting("upload_megabytes", int, 4096, "largest body of a request in MiB from who is signed in; from everybody else 16 MiB"),
    Setting(
        "tls_certificate",
        str,
        "",
        "file with the certificate chain (PEM) for pages and listeners; empty: no TLS; read again when it changes",
    ),
    Setting("tls_key", str, "", "file with the private key (PEM) of the certificate"),
    Setting("tls_for", str, "http mqtt", "what speaks TLS when a certificate is set: http, mqtt, hj212; stations by HJ 212 seldom can"),
    Setting("otel_endpoint", str, "", "OpenTelemetry collector (OTLP over HTTP, http://host:4318) for traces and metrics; empty: none"),
    Setting("log_level", str, "INFO", "log level"),
)


@dataclass(frozen=True)
class Settings:
    """The settings in effect; attributes are the names in `SETTINGS`."""

    data: Path
    place: str
    applications: str
    host: str
    http: int
    hj212: int
    mqtt: int
    hj212_admit: bool
    database_url: str
    nats_url: str
    lake: str
    secret_key: str
    public_url: str
    demo: bool
    web_workers: int
    mail_url: str
    mail_from: str
    dingtalk_webhook: str
    dingtalk_secret: str
    oidc_issuer: str
    oidc_client_id: str
    oidc_client_secret: str
    oidc_title: str
    oidc_scope: str
    oidc_link: str
    tiles_url: str
    seal_seconds: int
    suite: str
    key_passphrase: str
    tsa_url: str
    tsa_ca: str
    tsa_every: int
    upstream_url: str
    evidence_months: int
    outgoing_allow: str
    device_connections: int
    device_connections_of_address: int
    page_connections: int
    page_connections_of_address: int
    request_rate: int
    upload_megabytes: int
    tls_certificate: str
    tls_key: str
    tls_for: str
    otel_endpoint: str
    log_level: str

    @property
    def lake_path(self) -> str:
        return self.lake or str(self.data / "lake")

    @property
    def run(self) -> Path:
        """Where the running instance keeps its sockets, pids and addresses."""
        return self.data / "run"

    @property
    def url(self) -> str:
        return self.public_url or self.reached(self.host)

    def reached(self, host: str) -> str:
        """The address of pages and APIs by the name or address of a host."""
        return f"http{'s' if self.speaks_tls('http') else ''}://{host}:{self.http}"

    def speaks_tls(self, what: str) -> bool:
        """Whether `http`, `mqtt` or `hj212` speaks TLS."""
        return bool(self.tls_certificate) and what in self.tls_for.replace(",", " ").split()


def _typed(setting: Setting, value: Any) -> Any:
    if isinstance(value, str) and setting.type is bool:
        if value.lower() not in ("1", "true", "yes", "on", "0", "false", "no", "off", ""):
            raise BAD_SETTING(name=setting.variable, value=value, reason="写 true 或 false")
        return value.lower() in ("1", "true", "yes", "on")
    try:
        typed = setting.type(value)
    except (TypeError, ValueError):
        raise BAD_SETTING(name=setting.variable, value=value, reason=f"需要 {setting.type.__name__}") from None
    return typed.expanduser().absolute() if isinstance(typed, Path) else typed


def load(options: Mapping[str, Any] | None = None, *, checkout: Path | None = None) -> Settings:
    """Settings from options, environment, `haitang.toml` in `checkout` (default: the current folder) and defaults."""
    file = (checkout or Path.cwd()) / "haitang.toml"
    written = tomllib.loads(file.read_text("utf-8")) if file.is_file() else {}
    given = {name: value for name, value in (options or {}).items() if value is not None}
    values = {}
    for setting in SETTINGS:
        for source in (given.get(setting.name), os.environ.get(setting.variable), written.get(setting.name)):
            if source is not None:
                values[setting.name] = _typed(setting, source)
                break
        else:
            values[setting.name] = _typed(setting, setting.default)
    return Settings(**values)


_current: Settings | None = None


def use(settings: Settings) -> None:
    """Make `settings` those of this process."""
    global _current
    _current = settings


def settings() -> Settings:
    """The settings of this process (loaded from the environment at first use)."""
    global _current
    if _current is None:
        _current = load()
    return _current
