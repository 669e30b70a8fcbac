"""Codes: the standards' own examples, real public codes, the traps, and the column that agrees with the single value."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from haitang.base.clock import frozen
from haitang.support.standards.codes import CODES, organization, resident, social_credit
from haitang.support.standards.codes.plate import new_energy

SOUND = {
    "resident_id": [
        "11010519491231002X", "440524188001010014",  # the standard's own
        "11010519491231002x",  # lower case is accepted
        "500225198003070016",  # a county that is no more
        "110105491231002",  # fifteen digits
    ],
    "uscc": [
        "11100000000013338W", "11100000MB03271699", "11100000MB0341032Y", "91110000600037341L",  # public bodies
        "N2500111MF00000018", "Y1500111MA0000003Y", "52500111MJ00000023", "54500111ME0000004T",  # synthetic
        "11100000mb0341032y",
    ],
    "organization_code": ["000013338", "00001333-8", "MB0327169", "MB0341032"],
    "division": ["500000", "500100", "500111", "500225", "500111001", "500111001001", "500111000000", "500111199498"],
    "licence_plate": ["渝C12345", "渝C·1234A", "京A12345", "渝CD12345", "渝cf12345", "渝C12345D", "粤Z1234港", "渝C1234学", "使014578"],
    "mobile": ["13800138000", "+8613800138000", "86 138 0013 8000", "138-0013-8000", "19912345678"],
}  # fmt: skip
FAULTY = {
    "resident_id": [
        "", "110105194912310021", "11010519491331002X", "11010519490229002X", "1101051949123100２X", "11010529991231002X", "01010519491231002X",
        " 11010519491231002X", "110105194912310022X", "110105490229002",
    ],
    "uscc": ["", "11100000000013338X", "I1100000000013338W", "111000000000１3338W", "1110000000001333W", "11A00000000013338W"],
    "organization_code": ["", "000013339", "00001333--8", "0000-13338", "00001333é"],
    "division": ["", "50011", "160000", "500111600", "500111001400", "500111000001", "5001110010", "５００１１１"],
    "licence_plate": ["", "渝C1234", "渝CI2345", "渝C123456", "A渝12345", "渝C1234OO", "渝C12345Z", "渝\u212a12345"],
    "mobile": ["", "12800138000", "1380013800", "138001380000", "+8713800138000", "138 00138 000", "０13800138000"],
}  # fmt: skip


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in SOUND.items() for text in texts])
def test_a_sound_code_has_no_fault(name: str, text: str) -> None:
    assert CODES[name].fault(text) == ""
    assert CODES[name].fault(CODES[name].normal(text)) == ""
    assert list(CODES[name].faulty(pa.array([text, None]))) == [False, False]


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in FAULTY.items() for text in texts])
def test_a_faulty_code_says_what_is_wrong(name: str, text: str) -> None:
    assert CODES[name].fault(text) != ""
    assert list(CODES[name].faulty(pa.array([None, text]))) == [False, True]


def test_an_old_resident_number_gets_its_century_and_check() -> None:
    assert CODES["resident_id"].normal("110105491231002") == "11010519491231002X"


def test_nobody_is_born_tomorrow() -> None:
    first = "50011120261126001"
    number = first + resident.check_of(first)
    with frozen(datetime(2026, 11, 25, 15, 59, tzinfo=UTC)):
        assert CODES["resident_id"].fault(number) == resident.DATE
        assert list(CODES["resident_id"].faulty(pa.array([number]))) == [True]
    with frozen(datetime(2026, 11, 25, 16, 0, tzinfo=UTC)):  # midnight in China
        assert CODES["resident_id"].fault(number) == ""


@pytest.mark.parametrize(
    ("name", "written", "stored"),
    [
        ("resident_id", "１１０１０５ 19491231002x ", "11010519491231002X"),
        ("organization_code", "00001333-8", "000013338"),
        ("mobile", "+86 138-0013-8000", "13800138000"),
        ("licence_plate", "渝c·12345", "渝C12345"),
        ("uscc", "1110 0000 0000 13338w", "11100000000013338W"),
    ],
)
def test_the_normal_form_is_what_is_compared(name: str, written: str, stored: str) -> None:
    assert CODES[name].normal(written) == stored


def test_a_new_energy_plate_is_told_from_an_ordinary_one() -> None:
    assert [new_energy(plate) for plate in ("渝CD12345", "渝C12345F", "渝C12345", "渝CZ12345")] == [True, True, False, False]


digits = st.text("0123456789", min_size=17, max_size=17)
resident_numbers = st.builds(
    lambda division, born, serial, check: f"{division}{born:%Y%m%d}{serial:03}{check}",
    st.sampled_from(["500111", "500225", "110105", "830000"]), st.dates(), st.integers(0, 999), st.sampled_from([*"0123456789Xx"]),
)  # fmt: skip
near = {
    "resident_id": resident_numbers
    | digits.map(lambda first: first + resident.check_of(first))
    | st.text("0123456789Xx", min_size=15, max_size=18),
    "uscc": st.text(social_credit.ALPHABET, min_size=9, max_size=9)
    .map(lambda rest: "91500111" + rest)
    .map(lambda f: f + social_credit.check_of(f))
    | st.text(social_credit.ALPHABET + "IOaz", min_size=17, max_size=18),
    "organization_code": st.text(organization.ALPHABET, min_size=8, max_size=8).map(lambda first: first + organization.check_of(first))
    | st.text("0123A-Xx", min_size=9, max_size=10),
    "division": st.text("0123456789", min_size=6, max_size=12),
    "licence_plate": st.from_regex(r"[渝京使][A-Za-z0-9]{6,7}[港学]?", fullmatch=True),
    "mobile": st.from_regex(r"(\+86)?[ -]?1[0-9]{2}[- ]?[0-9]{4}[- ]?[0-9]{4}", fullmatch=True),
}


@pytest.mark.parametrize("name", CODES)
@given(data=st.data())
def test_a_column_agrees_with_each_of_its_values(name: str, data: st.DataObject) -> None:
    values = data.draw(st.lists(st.none() | near[name] | st.text(max_size=20), max_size=30))
    code = CODES[name]
    expected = [value is not None and code.fault(value) != "" for value in values]
    column = pa.array(values, pa.string())
    assert list(code.faulty(column)) == expected
    assert list(code.faulty(pa.chunked_array([column.slice(0, 3), column.slice(3)]))) == expected
