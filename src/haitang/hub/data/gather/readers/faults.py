"""What a reader says of a file that it cannot read, and of a row that it cannot put under the headings."""

from haitang.base.errors import error
from haitang.base.text import T

UNKNOWN_FORMAT = error(
    "gather.unknown_format",
    422,
    "认不出文件 {name} 的格式。可以读 CSV、TSV、Excel（xlsx、xls、ods）、JSON、Parquet 和 zip；也可以在来源里写明 layout.format。",
)
NOT_EXCEL = error("gather.not_excel", 422, "打不开工作簿 {name}：{why}。请用 Excel 或 WPS 另存为 xlsx 再试；设有打开密码的请先取消密码。")
NO_SHEET = error("gather.no_sheet", 422, "工作簿里没有名为“{sheet}”的工作表；有：{sheets}。")
NO_ROWS = error("gather.no_rows", 422, "文件 {name} 里没有数据。")
NOT_JSON = error("gather.not_json", 422, "JSON 第 {line} 行有误：{why}。")
NO_RECORDS = error("gather.no_records", 422, "JSON 里找不到记录的数组（{path}）。请在来源里用 layout.records 写明路径，例如 data.rows。")
JSON_TOO_LARGE = error(
    "gather.json_too_large", 422, "JSON 文件不是数组，又大于 {limit} MB。请用 layout.records 写明记录所在的路径，或改为每行一条记录。"
)
NOT_PARQUET = error("gather.not_parquet", 422, "打不开 Parquet 文件 {name}：{why}。")
ROW_TOO_LONG = error("gather.row_too_long", 422, "第 {line} 行超过 {limit} MB，不像是表格数据。请检查文件格式和分隔符。")
NOT_ZIP = error("gather.not_zip", 422, "打不开压缩包 {name}：{why}。")
MEMBER_UNSAFE = error("gather.member_unsafe", 422, "压缩包里的文件名“{name}”越出了压缩包，已拒绝读取。")
MEMBER_ENCRYPTED = error("gather.member_encrypted", 422, "压缩包里的“{name}”加了密码。请去掉密码后再报送。")
NO_MEMBER = error("gather.no_member", 422, "压缩包里没有可读的文件{pattern}；有：{names}。")
SEVERAL_MEMBERS = error("gather.several_members", 422, "压缩包里有几个可读的文件：{names}。请用 layout.member 写明读哪一个。")
TOO_LARGE = error("gather.unpacks_too_large", 422, "“{name}”解压后超过 {limit}，像是压缩炸弹，已停止读取。")

UNDECODABLE = T("含有无法解码的字节")
NUL = T("含有空字符（NUL）")
UNCLOSED = T("引号没有闭合")
AFTER_QUOTE = T("引号后面有多余的字符")
FEWER = T("列数少于表头")
MORE = T("列数多于表头")
IMPRECISE = T("数字超过 15 位，Excel 已丢失末位；请把这一列设为文本后重新填写")
NEW_KEY = T("含有前面的记录没有的字段")
NOT_RECORD = T("不是一条记录（JSON 对象）")
