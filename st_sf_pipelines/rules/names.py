"""A customer's one name becomes the first and last name that Salesforce wants (SEG-2)."""

import re
import unicodedata
from functools import cache
from itertools import islice
from typing import NamedTuple

from nameparser import AmbiguityKind, Lexicon, ParsedName, Parser, Role


def _table(words: str) -> frozenset[str]:
    """Tables are folded words (see fold): they tell the library what a contractor's customers are called."""
    return frozenset(words.split())


# Only these titles are dropped. The library knows 700, 'King', 'Baron' and 'Burgess' among them: people's names here.
_TITLES = _table(
    """
    mr mister mrs misses ms miss mx madam madame mme mlle monsieur sr sra srta senor senora senorita herr frau
    dr dra doctor prof professor sir dame rev reverend pastor fr rabbi imam hon honorable honourable judge senator
    capt captain cpt col colonel ltcol ltc gen general lt lieutenant maj sgt sergeant ssgt sfc msgt cpl corporal
    pvt pfc adm admiral cdr commander chief
    """
)
# A name that ends in one of these, or begins like that, is no one person's: it is a last name as a whole.
_NO_PERSON_END = _table("family household residence trust estate hoa llc inc corp corporation ltd")
_NO_PERSON_START = ("the ", "estate of ")
# 'Mary Ann & John Smith' share a surname, 'John Smith & Mary Jones' do not: Ann is no surname.
_SECOND_GIVEN_NAMES = _table(
    """
    ann anna anne beth carlos elena ellen fernando jane jean jo jose juan kay louise lou luis lynn mae manuel
    maria marie mary sue
    """
)
# Surnames that come in pairs. Those in -ez (García's neighbours Pérez, López, ...) are known by their ending.
_SURNAMES = _table(
    """
    abreu acevedo acosta aguilar aguilera aguirre alarcon alcala alcantara alfaro almeida alvarado alves
    amaya andrade aponte aragon araujo arce arellano arenas arevalo arias armenta arroyo arteaga avalos
    avila aviles ayala ballesteros barajas barbosa barragan barrera barreto barrios batista becerra beltran
    bernal betancourt blanco bonilla borges bravo burgos bustamante caballero cabral cabrera caceres
    calderon calvo camacho campos cano cantu carbajal cardenas cardona cardoso carmona carranza carrasco
    carrera carrillo carvalho castaneda castellanos castillo castro ceballos cervantes chacon cisneros colon
    contreras cordero cordova corona coronado correa cortes costa crespo cruz cuellar davila delacruz deleon
    delgado diaz duarte duran echeverria escobar espinosa espinoza esquivel estrada feliciano fernandes
    ferreira ferrer figueroa flores fonseca franco fuentes gallegos galvan gamboa garcia garrido garza gil
    giron gomes goncalves granados guerra guerrero guevara guillen guzman heredia herrera hidalgo huerta
    hurtado ibarra iglesias lara leal leon leyva lima longoria lopes lozano lucero lugo lujan luna macias
    madrigal maldonado marin marques marrero medina medrano mejia mena mendes mendoza mercado mesa meza
    miranda molina montalvo montero montes montoya mora morales moran moreira moreno munoz murillo nava
    navarro negron nieto nunes olivas oliveira orozco ortega ortiz osorio otero pacheco padilla palacios
    palma paredes parra paz pena peralta pereira pineda pinto pires ponce porras portillo prado prieto
    quinones quintana quintanilla quintero quiroga quiroz ramos rangel renteria reyes ribeiro rios rivas
    rivera robledo robles rocha rodrigues rojas roldan romero rosa rosales rosas rubio ruiz saavedra
    salamanca salas salazar salcedo saldana salgado salinas sandoval santana santos saucedo segura sepulveda
    serrano sierra silva soares solano solis sosa soto souza tamayo tapia tavares toledo torres tovar trejo
    trevino trujillo ulloa uribe valdes valencia valenzuela vallejo varela vargas vega vela velasco vera
    vidal vieira villa villalobos villanueva villarreal villegas zambrano zamora zapata zavala zepeda zuniga
    """
)
# Surnames too, but in the middle of a name more often given: 'José Ángel Pérez', 'Juan Martín López'.
_SURNAMES_OR_GIVEN = _table(
    """
    alonso angel bautista benito cesar domingo esteban francisco guadalupe inez jaime jesus luis marcos martin mateo
    nicolas pascual ramon rosario salvador santiago simon tomas valentin vicente victoria
    """
)
# What follows María, José, Juan or Rosa and looks like a surname with its particle, but is given: 'María del Carmen'.
_GIVEN_PHRASES = _table(
    """
    del-carmen del-pilar del-mar del-refugio del-socorro del-consuelo del-rosario del-rocio del-sol de-jesus
    de-dios de-lourdes de-guadalupe de-fatima de-los-angeles de-los-milagros de-los-dolores de-la-luz de-la-paz
    de-la-caridad de-la-concepcion de-la-soledad de-las-mercedes de-las-nieves
    """
)
_VOCABULARY = (
    *("titles", "given_name_titles", "suffix_acronyms", "suffix_words", "suffix_acronyms_ambiguous", "particles"),
    *("particles_ambiguous", "conjunctions", "conjunctions_ambiguous", "bound_given_names", "maiden_markers"),
    *("surnames", "honorific_tails", "after_given_titles"),
)
_AND = re.compile(r"\s(&|\+|/|and|or)\s", re.IGNORECASE)
_REMARK = re.compile(r"\s(?:[-\u2013\u2014]\s|[#*])")
_TITLE_PAIR = re.compile(r"\b(mr|mrs|ms|dr)\.?\s?[&/+]\s?(?=(?:mr|mrs|ms|dr)\b)", re.IGNORECASE)
_WORD = re.compile(r"[^\s,\u060c\u3001\uff0c]+")
# Control characters read as spaces; marks of writing direction, zero-width spaces and byte-order marks as nothing.
_INVISIBLE = dict.fromkeys((*range(32), *range(127, 160)), " ") | dict.fromkeys(
    (0x200B, 0x200E, 0x200F, 0xFEFF, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
)
# Nobody's name is longer; a text that is does not get the time that its parsing takes (6 s for a million characters).
_LONGEST = 1000


class PersonName(NamedTuple):
    """What goes to Salesforce's FirstName and LastName, untruncated."""

    first: str | None
    last: str


class _Word(NamedTuple):
    """A word as written, quotes and brackets included, and the part it plays."""

    text: str
    role: Role
    tags: frozenset[str]


class _Reading(NamedTuple):
    """One name as understood: 'Mary Ann' has a last name here that is no surname; 'Smith, John' has it first."""

    first: str
    last: str
    has_surname: bool
    surname_first: bool


def split_name(name: str | None, customer_type: str | None, st_id: int) -> PersonName:
    """Split a Residential customer's name; a Commercial customer's whole name is the last name (SEG-2).

    Middle names and nicknames go with the first name, suffixes and maiden names with the last, titles are dropped.
    The last name is never empty: it falls back to the whole name, then to 'Customer st_ID'. White space is collapsed,
    case is kept. A type that is missing or unknown is Residential.
    """
    whole = " ".join((name or "").translate(_INVISIBLE).split())
    if not any(c.isprintable() and c != " " for c in whole):
        return PersonName(None, f"Customer st_{st_id}")
    if fold(customer_type or "") == "commercial" or _is_no_person(whole) or len(whole) > _LONGEST:
        return PersonName(None, whole)
    text, aside = _without_aside(_TITLE_PAIR.sub(r"\1 & ", whole))
    first, last = _read_couple(text) or _read(text)[:2]
    if not any(map(str.isalnum, last)):
        return PersonName(None, whole)
    return PersonName(f"{first}{aside}", last) if first else PersonName(None, f"{last}{aside}")


def fold(text: str) -> str:
    """Make 'Muñoz,' and 'MUNOZ' one word to the tables: no accent, case, space or punctuation but the hyphen."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if c.isalnum() or c == "-")


def _is_no_person(whole: str) -> bool:
    """Tell 'The Smith Family', 'Estate of John Smith', 'Smith Trust'; 'John Smith & Family' is a person."""
    *before, end = whole.split()
    ends_so = fold(end) in _NO_PERSON_END and bool(before) and not _AND.fullmatch(f" {before[-1]} ")
    return ends_so or whole.casefold().startswith(_NO_PERSON_START)


def _without_aside(text: str) -> tuple[str, str]:
    """Take the remark off 'John Smith - rental' or 'John Smith #2': it goes with the first name, the last is Smith."""
    remark = _REMARK.search(text)
    if remark is None or not _read(text[: remark.start()]).has_surname:
        return text, ""
    return text[: remark.start()], text[remark.start() :]


def _read_couple(text: str) -> tuple[str, str] | None:
    """Read two people named in full; None where the words around '&' share a surname: the library reads that well.

    'John Smith & Mary Jones' is John, Smith & Mary Jones: the first person is the contact, and searching Salesforce
    for the second still finds it. 'John Smith & Mary Smith' and 'John Smith & Mary' are John & Mary, Smith.
    """
    for joint in islice(_AND.finditer(text), 3):
        before = text[: joint.start()]
        *earlier, end = before.split()
        if not earlier or fold(end) in _TITLES:  # 'John & Mary Smith'; 'Smith, Mr. & Mrs. John'
            continue
        left, right = _read(before), _read(text[joint.end() :])
        one_surname_first = left.surname_first and not right.surname_first  # 'Smith, John & Mary Ann'
        if not (left.has_surname and right.last) or one_surname_first or (right.first and not left.first):
            continue
        both = f" {joint[1]} ".join
        whole_right = f"{right.first} {right.last}".strip()
        if left.first and not right.has_surname:
            return both((left.first, whole_right)), left.last
        if left.first and right.first and fold(left.last) == fold(right.last):
            return both((left.first, right.first)), left.last
        if right.has_surname:
            return left.first, both((left.last, whole_right))
    return None


def _read(text: str) -> _Reading:
    """Read one name, or several with one surname: by nameparser, and then by our rule for Spanish surnames."""
    words = _words(_parser().parse(text))
    roles = [word.role for word in words]
    if Role.FAMILY not in roles:  # 'Cher', 'Smith Jr.'
        return _Reading("", " ".join(word.text for word in words), has_surname=False, surname_first=False)
    given = [at for at, role in enumerate(roles) if role in {Role.GIVEN, Role.MIDDLE}]
    surname_first = bool(given) and roles.index(Role.FAMILY) < given[0]
    if given and not surname_first:
        words = _with_spanish_surnames(words)
    of_first = {Role.GIVEN, Role.MIDDLE, Role.NICKNAME} if given else set()
    first = [word.text for word in words if word.role in of_first]
    last = [word for word in words if word.role not in of_first]
    last.sort(key=lambda word: "vocab:folded-middle" not in word.tags)  # 'Berg, Hans van der' is van der Berg
    surname = next(word for word in reversed(last) if word.role is Role.FAMILY)
    has_surname = "initial" not in surname.tags and fold(surname.text) not in _SECOND_GIVEN_NAMES
    return _Reading(" ".join(first), " ".join(word.text for word in last), has_surname, surname_first)


def _words(parsed: ParsedName) -> list[_Word]:
    """List the words of a parsed name in their order, each as it is written, none lost but titles."""
    tokens = {token.span.start: token for token in parsed.tokens if token.span}
    odd = [a.tokens for a in parsed.ambiguities if a.kind is AmbiguityKind.COMMA_STRUCTURE]
    names_after_commas = {token for found in odd for token in found}  # 'Smith, Jr., John'
    words: list[_Word] = []
    waiting: list[str] = []  # what the library skips (née, emoji) goes with the next word
    after_and = False
    for chunk in _WORD.finditer(parsed.original):
        cuts = [at for at in range(*chunk.span()) if at in tokens]
        if not cuts:
            waiting.append(chunk[0])
            continue
        for cut, end in zip(cuts, [*cuts[1:], chunk.end()], strict=True):
            token, start = tokens[cut], chunk.start() if cut == cuts[0] else cut
            is_title, is_and = "vocab:title" in token.tags, "conjunction" in token.tags
            dropped = (token.role is Role.TITLE and (is_title or is_and)) or (is_title and after_and)
            after_and = is_and
            if dropped:
                continue
            role = Role.MIDDLE if token in names_after_commas else token.role
            role = Role.GIVEN if role is Role.TITLE else role  # 'Wm. Smith', 'Ma. Elena García': abbreviated, no title
            words.append(_Word(" ".join([*waiting, parsed.original[start:end]]), role, token.tags))
            waiting.clear()
    if waiting and words:
        words[-1] = words[-1]._replace(text=" ".join([words[-1].text, *waiting]))
    return words


def _with_spanish_surnames(words: list[_Word]) -> list[_Word]:
    """Give a given name what the library took for a surname (María del Carmen), and a surname its second.

    The library's last name is the last word: 'López' of 'María José García López'. If that and the word before it
    are both in the table, and a given name is left, both are surnames.
    """
    start = next(at for at, word in enumerate(words) if word.role is Role.FAMILY)
    folded = tuple(fold(word.text) for word in words)
    family = [at for at, word in enumerate(words) if word.role is Role.FAMILY]
    for end in (start + 2, start + 3):
        if "-".join(folded[start:end]) in _GIVEN_PHRASES and family[-1] >= end:
            return [w._replace(role=Role.MIDDLE) if start <= at < end else w for at, w in enumerate(words)]
    before = start - 1
    if (
        before > 0
        and "conjunction" not in words[before - 1].tags
        and words[before].role in {Role.GIVEN, Role.MIDDLE}
        and is_spanish(folded[before])
        and (is_spanish(folded[family[-1]]) or folded[family[-1]] in _SURNAMES_OR_GIVEN)
        and sum("particle" not in words[at].tags for at in family) == 1
    ):
        return [w._replace(role=Role.FAMILY) if at == before else w for at, w in enumerate(words)]
    return words


def is_spanish(folded: str) -> bool:
    """Is it a Spanish or Portuguese surname, hyphenated ones by their parts."""
    parts = folded.split("-")
    return all(p in _SURNAMES or (p.endswith("ez") and len(p) > 3 and p not in _SURNAMES_OR_GIVEN) for p in parts)


@cache
def telling_words() -> frozenset[str]:
    """Give every word, folded, that means something to the library or to a table here; a surname tells no more."""
    lexicon = Lexicon.default()
    sets = [value for name in _VOCABULARY for value in getattr(lexicon, name)]
    words = {fold(word) for entry in sets for word in entry.split()}
    phrases = {word for phrase in _GIVEN_PHRASES for word in phrase.split("-")}
    return frozenset(words | phrases | _TITLES | _NO_PERSON_END | _SECOND_GIVEN_NAMES | _SURNAMES_OR_GIVEN)


@cache
def _parser() -> Parser:
    """Make the one parser: it is immutable, so that threads may share it."""
    lexicon = Lexicon.default()
    kept = {title for title in lexicon.titles if fold(title) in _TITLES}
    given_titles, titles = lexicon.given_name_titles, lexicon.titles - kept
    return Parser(lexicon=lexicon.remove(titles=titles, given_name_titles=given_titles))
