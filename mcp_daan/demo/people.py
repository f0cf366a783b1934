"""Made-up people and companies, the same for everyone."""

import random
from collections.abc import Iterator
from typing import NamedTuple

FIRST = "Anna Bram Daan Eva Fleur Gijs Hanna Ilse Jasper Koen Lotte Maud Niels Olga Pieter Roos Sanne Tijn Vera Wout"
LAST = (
    "van den Berg|Bakker|Jansen|de Vries|Smit|Visser|Mulder|de Groot|Bos|Vos|Peters|Hendriks|Dekker|Dijkstra|Kok"
    "|van Leeuwen|Brouwer|de Wit|Kuipers|Veenstra"
)
COMPANIES = (
    "Bakkerij De Korenaar|Fietsen van Toen|Loodgieter Nat & Droog|Kwekerij Groenendaal|Drukkerij De Letter"
    "|Installatiebedrijf Stroom|Boekhandel Het Ezelsoor|Slagerij Van Buren|Timmerwerk Eikenhout|Kapsalon Knip"
    "|Grafisch Bureau Lijn|Rederij De Waddenzee|Koffiebranderij Zwart|Architecten Hoek|Tuincentrum Madelief"
    "|Garage De Krik|Schildersbedrijf Kwast|Bloemen van Bloem|Zuivel Noord|Meubels op Maat"
)
CUSTOMERS = (
    "Hotel De Zwaan|Gemeente Oostdorp|Stichting Lezen|Restaurant Aan Zee|Basisschool De Vlieger|Camping Zonneveld"
    "|Museum De Molen|Apotheek Centrum|Sportclub Voorwaarts|Woningbouw Thuis"
)
ROLES = ("admin", "member", "member")


class Person(NamedTuple):
    """Somebody who does not exist."""

    name: str
    email: str
    company: str
    role: str


def people(chance: random.Random, count: int) -> Iterator[Person]:
    """*count* people, two a company; the addresses are below `.example`, which never answers."""
    companies = COMPANIES.split("|")
    names = [(first, last) for first in FIRST.split() for last in LAST.split("|")]
    for number, (first, last) in enumerate(chance.sample(names, count)):
        company = companies[number // 2 % len(companies)]
        domain = "".join(each for each in company.lower() if each.isalpha() or each == " ").replace(" ", "-")
        address = f"{first}.{last.replace(' ', '')}@{domain}.example".lower().replace("--", "-")
        yield Person(f"{first} {last}", address, company, "owner" if number % 2 == 0 else chance.choice(ROLES))
