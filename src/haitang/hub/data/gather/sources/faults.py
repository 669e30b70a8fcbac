"""What goes wrong with a source, in words for whoever can mend it. Never a password."""

from haitang.base.errors import error

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
