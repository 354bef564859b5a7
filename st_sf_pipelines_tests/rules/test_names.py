"""A customer's one name splits as people would split it, loses nothing but titles, and never fails (SEG-2)."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from st_sf_pipelines.rules.names import PersonName, split_name

NAMES: dict[str, tuple[str | None, str]] = {
    # the five of SEG-2
    "Smith, John": ("John", "Smith"),
    "John Smith": ("John", "Smith"),
    "Dr. John A. Smith Jr.": ("John A.", "Smith Jr."),
    "John & Mary Smith": ("John & Mary", "Smith"),
    "María José García López": ("María José", "García López"),
    # Spanish surnames: two where both are known and a given name is left
    "Juan García López": ("Juan", "García López"),
    "Ana Lopez Garcia": ("Ana", "Lopez Garcia"),
    "MARIA GARCIA LOPEZ": ("MARIA", "GARCIA LOPEZ"),
    "José Luis Rodríguez de la Cruz": ("José Luis", "Rodríguez de la Cruz"),
    "Juan García y López": ("Juan", "García y López"),
    "Ana García-López Ruiz": ("Ana", "García-López Ruiz"),
    "Dr. Juan García López Jr.": ("Juan", "García López Jr."),
    "Juan & Maria Garcia Lopez": ("Juan & Maria", "Garcia Lopez"),
    "Garcia Lopez, Maria": ("Maria", "Garcia Lopez"),
    "Garcia Lopez": ("Garcia", "Lopez"),
    "Maria Garcia": ("Maria", "Garcia"),
    "Maria Martin": ("Maria", "Martin"),
    "Juan Carlos Perez": ("Juan Carlos", "Perez"),
    "Juan Martín López": ("Juan Martín", "López"),
    "Juan López Martín": ("Juan", "López Martín"),
    "David James Martinez": ("David James", "Martinez"),
    "John Martin Smith": ("John Martin", "Smith"),
    "Mary Ann Smith": ("Mary Ann", "Smith"),
    "Juan de la Cruz": ("Juan", "de la Cruz"),
    "Maria del Carmen": ("Maria", "del Carmen"),
    "Maria del Carmen Lopez Garcia": ("Maria del Carmen", "Lopez Garcia"),
    "María de los Ángeles Pérez": ("María de los Ángeles", "Pérez"),
    "Ma. Elena Garcia": ("Ma. Elena", "Garcia"),
    "Fco. Garcia Lopez": ("Fco.", "Garcia Lopez"),
    # particles, apostrophes, other scripts, case
    "van der Berg, Hans": ("Hans", "van der Berg"),
    "Berg, Hans van der": ("Hans", "van der Berg"),
    "O'Brien, Pat": ("Pat", "O'Brien"),
    "SMITH JOHN": ("SMITH", "JOHN"),
    "김민준": ("민준", "김"),
    # titles go, given names that the library takes for titles stay
    "Mr. & Mrs. Smith": (None, "Smith"),
    "Mr/Mrs Smith": (None, "Smith"),
    "Mr. and Mrs. John Smith": ("John", "Smith"),
    "Smith, Mr. & Mrs. John": ("John", "Smith"),
    "Mr. John & Mrs. Mary Smith": ("John & Mary", "Smith"),
    "Lt. Col. Bob Smith": ("Bob", "Smith"),
    "King Smith": ("King", "Smith"),
    "Wm. Smith": ("Wm.", "Smith"),
    "St. John Smith": ("St. John", "Smith"),
    "Mr.": (None, "Mr."),
    # several people
    "John and Mary Smith": ("John and Mary", "Smith"),
    "Smith, John & Mary": ("John & Mary", "Smith"),
    "Smith, John & Mary Ann": ("John & Mary Ann", "Smith"),
    "Mary Ann & John Smith": ("Mary Ann & John", "Smith"),
    "John A. & Mary B. Smith": ("John A. & Mary B.", "Smith"),
    "John Smith & Mary Jones": ("John", "Smith & Mary Jones"),
    "Smith, John & Jones, Mary": ("John", "Smith & Mary Jones"),
    "John Smith & Mary Smith": ("John & Mary", "Smith"),
    "John Smith & Mary": ("John & Mary", "Smith"),
    "John Smith & Family": ("John & Family", "Smith"),
    "Dr. Smith & Dr. Jones": (None, "Smith & Jones"),
    # no one person
    "The Smith Family": (None, "The Smith Family"),
    "Estate of John Smith": (None, "Estate of John Smith"),
    "ABC Pools, L.L.C.": (None, "ABC Pools, L.L.C."),
    # suffixes in every place
    "Smith Jr., John": ("John", "Smith Jr."),
    "Smith, Jr., John": ("John", "Smith Jr."),
    "Smith, John, Jr.": ("John", "Smith Jr."),
    "John Smith MD, PhD": ("John", "Smith MD PhD"),
    "Smith Jr.": (None, "Smith Jr."),
    # nicknames, maiden names, remarks
    'Robert "Bob" Smith': ('Robert "Bob"', "Smith"),
    "Smith, Robert (Bob)": ("Robert (Bob)", "Smith"),
    "Smith (rental)": (None, "Smith (rental)"),
    "John Smith - rental": ("John - rental", "Smith"),
    "John Smith #2": ("John #2", "Smith"),
    "Jane Smith née Jones": ("Jane", "Smith née Jones"),
    "😀 John Smith": ("😀 John", "Smith"),
    # one word, white space, scraps
    "Cher": (None, "Cher"),
    "  John \t\n  Smith\u00a0": ("John", "Smith"),
    "John\x00Smith\ufeff": ("John", "Smith"),
    "Smith,": (None, "Smith"),
    ", John": (None, "John"),
    "---": (None, "---"),
    "&": (None, "&"),
    "John Smith & :": ("John", "Smith & :"),
}


@pytest.mark.parametrize(("name", "parts"), NAMES.items(), ids=list(NAMES))
def test_a_residential_name_splits_as_people_would_split_it(name: str, parts: tuple[str | None, str]) -> None:
    assert split_name(name, "Residential", 7) == parts


@pytest.mark.parametrize("customer_type", ["Commercial", "commercial", " COMMERCIAL "])
@pytest.mark.parametrize("name", ["John Smith", "Smith, John", "Dr. Smith's Pools & Spas"])
def test_a_commercial_name_is_the_last_name_whole(name: str, customer_type: str) -> None:
    assert split_name(f" {name} ", customer_type, 7) == PersonName(None, name)


@pytest.mark.parametrize("customer_type", ["Residential", "residential", "", None, "Unknown"])
def test_any_other_type_is_residential(customer_type: str | None) -> None:
    assert split_name("John Smith", customer_type, 7) == PersonName("John", "Smith")


@pytest.mark.parametrize("customer_type", ["Residential", "Commercial", None])
@pytest.mark.parametrize("name", [None, "", "  ", "\n", "\u200b"])
def test_a_customer_without_a_name_is_called_by_its_number(name: str | None, customer_type: str | None) -> None:
    assert split_name(name, customer_type, 7) == PersonName(None, "Customer st_7")


def test_a_long_name_is_not_cut() -> None:
    name = "Wolfeschlegelsteinhausen" * 10
    assert split_name(f"John {name}", None, 7) == PersonName("John", name)


def test_a_text_too_long_for_a_name_is_the_last_name_whole() -> None:
    text = "John Smith & " * 100_000 + "x"
    assert split_name(text, None, 7) == PersonName(None, text)


def test_threads_agree() -> None:
    names = list(NAMES) * 20
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda name: split_name(name, None, 7), names)) == list(NAMES.values()) * 20


# Any text, and texts made of what confuses: titles, suffixes, particles, joints, brackets.
PIECES = st.sampled_from(
    """
    John Smith García López de la del Carmen Mr. Dr Jr. MD & and / , ( ) " - née A. The Trust Mary Ann van y St. #2 😀
    김민준 ... ' Ma. V
    """.strip().split()
)
CONFUSING = st.lists(PIECES, max_size=12).flatmap(
    lambda pieces: st.sampled_from([" ", "", "  ", "\t"]).map(lambda between: between.join(pieces))
)


@given(st.text() | CONFUSING, st.none() | st.text(max_size=3) | st.sampled_from(["Residential", "Commercial"]))
def test_any_text_gives_a_last_name_without_edges_of_space(name: str, customer_type: str | None) -> None:
    first, last = split_name(name, customer_type, 7)
    assert last
    assert last == " ".join(last.split())
    assert first is None or (first and first == " ".join(first.split()))
    assert split_name(name, customer_type, 7) == (first, last)


WORDS = st.sampled_from(
    [
        "John",
        "Mary",
        "Smith",
        "García",
        "López",
        "van",
        "de",
        "Jr.",
        "A.",
        "(Bob)",
        '"Al"',
        "-",
        "née",
        "MD",
        "#2",
        "😀",
    ]
)


@given(st.lists(WORDS, min_size=1, max_size=8), st.integers(0, 8))
def test_no_word_vanishes(words: list[str], comma_after: int) -> None:
    name = " ".join(f"{word}," if at == comma_after else word for at, word in enumerate(words))
    first, last = split_name(name, "Residential", 7)
    assert set(f"{first or ''} {last}".replace(",", "").split()) == set(words)
