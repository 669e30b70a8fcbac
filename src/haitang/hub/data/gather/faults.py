"""What goes wrong on the way in, in words for whoever can mend it: files, rows that cannot be put under the headings, sources. Never a password."""

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

UNKNOWN_DATABASE = error(
    "gather.unknown_database",
    422,
    "来源“{source}”的数据库地址无法识别，应以 postgresql://、mysql:// 或 sqlite:/// 开头，或写作 env:设置名。",
)
NO_SETTING = error("gather.no_database_setting", 422, "来源“{source}”的数据库地址写作环境变量 {name}，但没有设置它。")
NOT_CONNECTED = error("gather.not_connected", 502, "连接不上来源“{source}”的数据库：{why}。请检查地址、账号、口令和网络。")
NOT_READ = error("gather.database_not_read", 502, "读取来源“{source}”的数据库失败：{why}。")
NO_CURSOR = error("gather.no_cursor_column", 422, "来源“{source}”的变化列 {column} 不在查询结果里；有：{columns}。")
CURSOR_CHANGED = error("gather.cursor_changed", 422, "来源“{source}”的变化列类型与上次不同。请在来源页面上清除读取位置后重新全量读取。")
NO_FOLDER = error("gather.no_folder", 422, "来源“{source}”的目录 {path} 不存在，或平台无权读取。")
UNKNOWN_SOURCE = error("gather.unknown_source", 404, "没有来源“{source}”。")
NOTHING_AT_ALL = error(
    "gather.nothing_at_all",
    422,
    "来源“{source}”一行也没有读到。全量读取会把已有数据全部标为移除，因此没有采集；如确已清空，请人工报送空表。",
)
