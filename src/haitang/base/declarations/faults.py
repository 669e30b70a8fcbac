"""What can be wrong with a declaration: each fault has a code, a sentence and a hint in zh-Hans, and a broken example among the fixtures."""

from dataclasses import dataclass
from typing import Any, Literal

from haitang.base.declarations.checks import Problem

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Fault:
    """A registered fault; `problem` makes one of it with data for the `{name}` places."""

    code: str
    message: str
    hint: str
    severity: Severity = "error"

    def problem(self, key_path: str = "", **data: Any) -> Problem:
        return Problem(key_path, self.message, self.hint, code=self.code, severity=self.severity, data=data)


registered: dict[str, Fault] = {}


def fault(what: str, message: str, hint: str = "", severity: Severity = "error") -> Fault:
    code = f"declarations.{what}"
    assert code not in registered, code
    registered[code] = Fault(code, message, hint, severity)
    return registered[code]


UNREADABLE_FILE = fault("unreadable_file", "文件不是 UTF-8 文本", "用 UTF-8 编码另存")
YAML_SYNTAX = fault("yaml_syntax", "YAML 语法不通：{reason}", "检查这一行的缩进、冒号和引号")
YAML_ALIAS = fault("yaml_alias", "这里用了锚点引用（*名称）", "把内容直接写出来")
DUPLICATE_KEY = fault("duplicate_key", "“{key}”写了两次", "保留一处")
BAD_KEY = fault("bad_key", "键必须是一个词或一个数", "把列表或映射移到值的位置")
NOT_A_MAPPING = fault("not_a_mapping", "这里应当是“键: 值”的映射", "逐行写成 键: 值")
SQL_HEADER = fault("sql_header", "SQL 文件缺少 YAML 文件头", "文件以 /*--- 开头，写完 title 等键后以 ---*/ 结束，语句写在后面")
CEDAR_HEADER = fault("cedar_header", "Cedar 文件缺少文件头", "文件以 //--- 开头，逐行写 // title: 等键，再以 //--- 结束，规则写在后面")
CSV_TABLE = fault("csv_table", "表格不通：{reason}", "第一行是列名，其中有 id；每行的格数与列数相同")
GEOJSON_SYNTAX = fault("geojson_syntax", "GeoJSON 不通：{reason}", "用地理软件重新导出")
BAD_ID = fault("bad_id", "“{id}”不能作标识", "标识用小写字母开头，由小写字母、数字和下划线组成")
DUPLICATE_ID = fault("duplicate_id", "{kind}“{id}”已在 {other} 中声明", "标识在同一种声明中不能重复，请改名")
UNKNOWN_FILE = fault("unknown_file", "平台不认识“{name}”", "{near}")
WRONG_PLACE = fault("wrong_place", "{kind}不能写在这里", "这种声明属于{where}")
UNKNOWN_KEY = fault("unknown_key", "没有“{key}”这个键", "{near}")
MISSING_KEY = fault("missing_key", "缺少“{key}”", "{expected}")
BAD_VALUE = fault("bad_value", "值“{value}”不可用：{reason}", "")
UNRESOLVED = fault("unresolved", "没有名为“{id}”的{kind}", "{near}")
OVERRIDE_SHAPE = fault("override_shape", "地方调整写法不对：{reason}", "写成 rule pm2_5_exceeds: {{when: value > 100}}")
OVERRIDE_UNKNOWN = fault("override_unknown", "没有可调整的声明“{name}”", "{near}")
NOT_TUNABLE = fault("not_tunable", "“{key}”不允许由地方调整", "{near}")
FUNCTIONS = fault("functions", "functions.py 读不进来：{reason}", "先用 Python 单独检查这个文件")
OWNER_TAKEN = fault("owner_taken", "有两个文件夹都叫“{name}”：{other}", "给其中一个改名")
NO_FOLDER = fault("no_folder", "找不到文件夹“{name}”", "{near}")
UNKNOWN_APPLICATION = fault("unknown_application", "没有安装应用“{name}”", "{near}")
LOCALE = fault("locale", "译文文件应当是“中文: 英文”的映射", "每行写成 中文: English")
SPEC_SHAPE = fault("spec_shape", "用例表写法不对：{reason}", "第一个键写种类和标识，再写 given 和 expect 两张表")
SPEC_FAILED = fault("spec_failed", "用例不成立：{reason}", "核对声明，或核对用例中期望的结果")
NO_ENGLISH = fault("no_english", "“{text}”没有英文", "在 locale/en.yaml 中补上译文", "warning")
