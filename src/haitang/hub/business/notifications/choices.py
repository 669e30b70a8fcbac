"""The page on which one chooses how one is told, and in what language."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_http_methods

from haitang.base.actions import acting
from haitang.base.shell.views import page, show
from haitang.base.text import CHINESE, ENGLISH, translate
from haitang.hub.business.notifications.actions import choose_channels
from haitang.hub.business.notifications.channels import DINGTALK, MAIL, TITLES, address, channel, language_of, wanted
from haitang.support.security.people.identity import actor, person

LANGUAGES = {CHINESE: "中文", ENGLISH: "English"}  # each in its own language


@require_http_methods(["GET", "POST"])
@page(anyone="one's own channels")
def channels(request: HttpRequest) -> HttpResponse:
    """One's own choice; a channel that cannot be used yet says why, and may be chosen beforehand."""
    who = person(request)
    if request.method == "POST":
        with acting(actor(request)) as act:
            choose_channels(act=act, person=who, channels=request.POST.getlist("channels"), language=request.POST.get("language", CHINESE))
        messages.success(request, translate("通知设置已保存"))
        return HttpResponseRedirect("/inbox/channels")
    chosen = wanted(who)
    rows = [(name, TITLES[name], name in chosen, channel(name) is not None, address(name, who) is not None) for name in (MAIL, DINGTALK)]
    return show(request, "notifications/channels.html", {"rows": rows, "languages": LANGUAGES, "chosen_language": language_of([who])})
