"""Why a message did not get out: for good, for now, or because there were too many."""

from haitang.base.errors import error

REFUSED = error("outside.refused", 502, "{peer} 拒绝了消息：{reason}")
UNREACHABLE = error("outside.unreachable", 503, "{peer} 暂时无法送达：{reason}")
TOO_FAST = error("outside.too_fast", 429, "{peer} 限制发送频率：{reason}")
