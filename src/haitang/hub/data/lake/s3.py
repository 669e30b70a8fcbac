"""A lake on S3: who we are there, and its objects as files.

Credentials come from the usual variables of the environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION. A store other than
Amazon's is named in AWS_ENDPOINT_URL (http:// or https://) or AWS_ENDPOINT (host:port, with AWS_ALLOW_HTTP where it speaks no TLS).

Durability: an object is there once the store has answered the request that ends its upload, which DuckDB awaits before the statement that wrote it ends, so
before the transaction commits. There is nothing to fsync from here: whether the store keeps what it has answered is the store's own promise.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from haitang.base.errors import error

NO_CREDENTIALS = error(
    "lake.no_credentials",
    500,
    "数据湖在 {lake}，但环境变量 AWS_ACCESS_KEY_ID 和 AWS_SECRET_ACCESS_KEY 没有设置。请设置后重启；自建存储还需 AWS_ENDPOINT_URL。",
)
BAD_ENDPOINT = error("lake.bad_endpoint", 500, "{variable} 的值 {value} 不可用，请写成 https://主机:端口 或 主机:端口。")


def is_s3(path: str) -> bool:
    return path.startswith("s3://")


@dataclass(frozen=True)
class Access:
    """How the store is reached. `endpoint`: host:port, empty for Amazon's own."""

    key: str
    secret: str
    token: str = ""
    region: str = "us-east-1"
    endpoint: str = ""
    tls: bool = True

    @classmethod
    def of(cls, environment: Mapping[str, str], lake: str = "s3://") -> "Access":
        """What the environment says; raises NO_CREDENTIALS, BAD_ENDPOINT."""
        key, secret = environment.get("AWS_ACCESS_KEY_ID", ""), environment.get("AWS_SECRET_ACCESS_KEY", "")
        if not (key and secret):
            raise NO_CREDENTIALS(lake=lake)
        endpoint, tls = _endpoint(environment)
        region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or "us-east-1"
        return cls(key, secret, environment.get("AWS_SESSION_TOKEN", ""), region, endpoint, tls)

    def words(self) -> dict[str, str]:
        """The words of DuckDB's `create secret`, unquoted."""
        told = {"key_id": self.key, "secret": self.secret, "session_token": self.token, "region": self.region, "endpoint": self.endpoint}
        return {word: value for word, value in told.items() if value}


def _endpoint(environment: Mapping[str, str]) -> tuple[str, bool]:
    for variable in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"):
        if told := environment.get(variable, "").rstrip("/"):
            scheme, mark, host = told.rpartition("://")
            if not host or "/" in host or (mark and scheme not in ("http", "https")):
                raise BAD_ENDPOINT(variable=variable, value=told)
            return host, scheme == "https" if mark else not environment.get("AWS_ALLOW_HTTP")
    return "", True


def filesystem(lake: str) -> tuple[Any, str]:
    """The file system (pyarrow) on which `lake` lies, and its path there without a slash at the end. A folder has one too."""
    from pyarrow import fs

    if not is_s3(lake):
        return fs.LocalFileSystem(), lake.rstrip("/")
    access = Access.of(os.environ, lake)
    more = {"endpoint_override": access.endpoint, "scheme": "https" if access.tls else "http"} if access.endpoint else {}
    store = fs.S3FileSystem(
        access_key=access.key, secret_key=access.secret, session_token=access.token or None, region=access.region, **more
    )
    return store, lake.removeprefix("s3://").rstrip("/")


def names(lake: str) -> list[str]:
    """The files of a lake by their names below it, sorted; empty where there is none yet."""
    from pyarrow import fs

    store, top = filesystem(lake)
    found = store.get_file_info(fs.FileSelector(top, recursive=True, allow_not_found=True))
    return sorted(info.path.removeprefix(top + "/") for info in found if info.type == fs.FileType.File)
