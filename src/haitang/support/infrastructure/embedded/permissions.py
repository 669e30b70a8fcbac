"""Who may look behind the state of an instance."""

from haitang.base.actions import permission

READ = permission("instance.read", "查看实例运行详情")
