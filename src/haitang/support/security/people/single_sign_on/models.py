"""Systems that let people sign in by us, what they were given, and the keys that sign it."""

from typing import ClassVar

from authlib.oauth2.rfc6749 import scope_to_list
from django.contrib.postgres.fields import ArrayField
from django.db import models

from haitang.base import clock
from haitang.base.ids import new_id
from haitang.support.security.cryptography.small_secrets import keyed_digest
from haitang.support.security.people.models import Person

SECRET, CODE, TOKEN = "client secret", "authorization code", "access token"
SCOPES = ("openid", "profile", "email", "phone", "organization")


class ClientSystem(models.Model):
    """A system of another department, registered by the security administrator. `scopes` is the most that it learns of a person."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    title = models.CharField(max_length=100)
    secret = models.CharField(max_length=64)
    redirect_uris = ArrayField(models.CharField(max_length=500))
    after_sign_out = ArrayField(models.CharField(max_length=500), default=list)
    scopes = ArrayField(models.CharField(max_length=32), default=list)
    active = models.BooleanField(default=True)
    registered_by = models.CharField(max_length=80)
    registered_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.title

    @property
    def client_id(self) -> str:
        return str(self.id)

    def get_client_id(self) -> str:
        return str(self.id)

    def get_default_redirect_uri(self) -> str:
        return str(self.redirect_uris[0])

    def get_allowed_scope(self, scope: str) -> str:
        return " ".join(each for each in scope_to_list(scope) or [] if each in self.scopes or each == "openid")

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri in self.redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        import hmac

        return hmac.compare_digest(self.secret, keyed_digest(client_secret, SECRET))

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in ("client_secret_basic", "client_secret_post")

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


class Consent(models.Model):
    """A person agreed that a system learns these things about them."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="consents")
    client = models.ForeignKey(ClientSystem, on_delete=models.CASCADE, related_name="consents")
    scopes = ArrayField(models.CharField(max_length=32))
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["person", "client"], name="one_consent"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.client_id}"


class Code(models.Model):
    """An authorization code, good once and for a minute. `session` is the id of the session here that it came from: tokens end with it."""

    digest = models.CharField(primary_key=True, max_length=64)
    client = models.ForeignKey(ClientSystem, on_delete=models.CASCADE)
    person = models.ForeignKey(Person, on_delete=models.CASCADE)
    session = models.UUIDField()
    redirect_uri = models.CharField(max_length=500)
    scope = models.CharField(max_length=200)
    nonce = models.CharField(max_length=500, blank=True, default="")
    code_challenge = models.CharField(max_length=128)
    code_challenge_method = models.CharField(max_length=8)
    auth_time = models.BigIntegerField()
    amr = ArrayField(models.CharField(max_length=16), default=list)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.digest[:8]

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str:
        return self.nonce

    def get_auth_time(self) -> int:
        return self.auth_time

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> list[str]:
        return list(self.amr)


class Token(models.Model):
    """An access token: good for asking who the person is, while their session here lasts."""

    digest = models.CharField(primary_key=True, max_length=64)
    code = models.ForeignKey(Code, on_delete=models.CASCADE, related_name="tokens")
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.digest[:8]

    def is_good(self) -> bool:
        from haitang.support.security.people.models import Session

        signed_in = Session.objects.filter(id=self.code.session, expire_date__gt=clock.now()).exists()
        return self.expires_at > clock.now() and signed_in and self.code.client.active and self.code.person.is_active


class IdentityKey(models.Model):
    """A key that signs identity tokens (ES256). `private` is sealed; the newest signs, those replaced lately are still published."""

    kid = models.CharField(primary_key=True, max_length=64)
    private = models.TextField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.kid
