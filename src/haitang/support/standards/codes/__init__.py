"""Codes of national standards: each says what is wrong with one text, and which of a column of millions are wrong.

`CODES["resident_id"].fault(text)` gives a sentence (zh-Hans, in the catalogue) or an empty string; `.faulty(column)` gives a mask over an Arrow
column that agrees with it value by value; `.normal(text)` is the form that is stored and compared. A missing value has no fault: whether it may
be missing is another rule. Which code a person, vehicle or body really holds is not said: a sound number may never have been issued.
"""

from haitang.support.standards.codes.code import Code
from haitang.support.standards.codes.division import DIVISION
from haitang.support.standards.codes.mobile import MOBILE
from haitang.support.standards.codes.organization import ORGANIZATION
from haitang.support.standards.codes.plate import PLATE
from haitang.support.standards.codes.resident import RESIDENT_ID
from haitang.support.standards.codes.social_credit import SOCIAL_CREDIT

__all__ = ["CODES", "Code"]

CODES: dict[str, Code] = {code.name: code for code in (RESIDENT_ID, SOCIAL_CREDIT, ORGANIZATION, DIVISION, PLATE, MOBILE)}
