"""Notices to people, and what became of them on each channel."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from haitang.base.ids import new_id
from haitang.base.text import CHINESE
from haitang.hub.business.notifications.wording import said


class Notice(models.Model):
    """One person is told something. `batch` holds together what one `tell` said to several people; `subject` reads `case:<id>`.

    `title` and `text` are zh-Hans texts of the catalogue with places for `data`; what a reader sees is made in their language (see `said`).
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    batch = models.UUIDField(db_index=True)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="notices")
    title = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    data = models.JSONField(default=dict)
    link = models.CharField(max_length=500)
    subject = models.CharField(max_length=160, db_index=True)
    urgency = models.CharField(max_length=16, default="normal")
    created_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (models.Index(fields=["person", "-created_at"], name="notices_of_person"),)

    def __str__(self) -> str:
        return self.said_title

    @property
    def said_title(self) -> str:
        """The title in the reader's language."""
        return said(self.title, self.data)

    @property
    def said_text(self) -> str:
        """The text in the reader's language."""
        return said(self.text, self.data)


class Delivery(models.Model):
    """A notice on one channel. `next_at` is when a queued one is tried (again); `receipt` is what the far end answered."""

    QUEUED, SENT, FAILED, REFUSED = "queued", "sent", "failed", "refused"

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="deliveries")
    channel = models.CharField(max_length=16)
    status = models.CharField(max_length=8, default=QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    receipt = models.TextField(blank=True)
    error = models.TextField(blank=True)
    at = models.DateTimeField()
    next_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["notice", "channel"], name="one_delivery_per_channel"),)
        indexes = (models.Index(fields=["next_at"], condition=models.Q(status="queued"), name="deliveries_queued"),)

    def __str__(self) -> str:
        return f"{self.channel}: {self.status}"


class ChannelChoice(models.Model):
    """The channels beside the inbox that a person wants, and the language of what goes out on them; without a row, all that can reach them, in Chinese."""

    person = models.OneToOneField(settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="channel_choice")
    channels = ArrayField(models.CharField(max_length=16), default=list)
    language = models.CharField(max_length=8, default=CHINESE)

    def __str__(self) -> str:
        return "、".join(self.channels)
