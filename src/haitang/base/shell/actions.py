"""The frame's one write: an export leaves evidence of who took which rows away."""

from haitang.base.actions import Act, action


@action("data.export", title="导出数据")
def record_export(*, act: Act, table: str, rows: int, digest: str, query: str) -> None:
    """Keep who exported which table: `query` is the page's address query, `digest` the SHA-256 of the file handed out."""
    act.record("table", table, {"rows": rows, "digest": digest, "query": query})
