"""What each process of the platform itself may do, and why. A process that is not named here may do nothing."""

from dataclasses import dataclass


@dataclass(frozen=True)
class System:
    """A process: permissions it has (`lake.*` covers every `lake.` permission), and the reason a security officer reads."""

    may: tuple[str, ...]
    reason: str


SYSTEMS: dict[str, System] = {
    "setup": System(
        ("people.*", "things.*", "declarations.*", "procedure.migrate"),
        "首次启动和声明生效时写入机构、人员、设备等初始资料",
    ),
    "operator": System(
        ("people.*", "things.*", "declarations.*", "evidence.*", "tokens.*", "procedure.migrate", "gather.*"),
        "在本机上以实例的操作系统用户运行 haitang 命令的人",
    ),
    "sign-in": System(
        ("people.sign_in", "people.sign_in_failed", "people.use_factor", "people.accept_invitation", "people.open_wall"),
        "登录前还没有身份，由登录进程记录",
    ),
    "sealer": System(("evidence.add_key", "evidence.archive"), "封存证据账本，归档到期的证据"),
    "keys": System(
        ("evidence.rotate_key", "evidence.add_key", "evidence.mark_compromised"),
        "执行一人提出、安全管理员另一人批准的签名密钥更换或泄露声明",
    ),
    "downstream": System(("evidence.accept_root", "evidence.refuse_root"), "接收已登记的下级节点签名报来的每日根"),
    "writer": System(("evidence.record_block",), "把观测数据写入数据湖并登记数据块"),
    "gather": System(("gather.*", "case.*", "procedure.*"), "把文件采集入库，为隔离的数据行向来源单位立件，全部修正后办结"),
    "listeners": System(
        ("things.finish_rotation", "things.note_command"),
        "接收 MQTT、HTTP 设备数据：新凭据首次使用时停用旧凭据，登记指令的进展",
    ),
    "hj212": System(
        ("things.admit_provisionally", "things.command", "things.note_command"),
        "接收 HJ 212 站点数据，调试接入模式下暂时接纳未知站点；向站点下发命令并记录执行情况，应站点通知校时",
    ),
    "commands": System(("things.note_command",), "登记在有效期内没有送达的设备指令"),
    "rules": System(("alarm.*", "case.*", "procedure.*"), "按规则报警、解除报警并立案"),
    "deadlines": System(("procedure.*", "case.*"), "到期提醒、超期督办和暂停到期"),
    "notifications": System(("notices.delivered", "notices.not_delivered"), "投递通知并记录回执"),
    "indicators": System(("indicator.*",), "计算指标"),
    "demo": System(("people.*", "things.*", "case.*", "procedure.*", "alarm.*", "notices.*", "indicator.*"), "仅在演示实例中装入演示数据"),
}


def allowed(name: str) -> System:
    """The entry of a process; one that is not named may do nothing."""
    return SYSTEMS.get(name, System((), "没有在 support/security/policy/systems.py 登记"))
