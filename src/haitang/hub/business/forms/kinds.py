"""The kind `form`: what a person is asked."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from haitang.base.declarations import Declaration, Text, Word, kind


class Question(BaseModel):
    """One question. `why` tells the person why it is asked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: Text
    type: Literal["text", "long text", "number", "date", "choice", "organization", "person", "photo", "limit"] = "text"
    required: bool = True
    why: Text | None = None
    choices: dict[Word, Text] = {}
    max_length: int = Field(default=2000, gt=0)
    unit: str | None = None


@kind("form", title="表单", folder="forms")
class Form(Declaration):
    """A form: questions by name, in the order they are asked. A move names a form, or questions of the platform's own form `moves`, under `asks`."""

    title: Text
    questions: dict[Word, Question]
