"""The credentials of the stand-in: made up, and the same at each start, so that a configuration can be kept."""

from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files

ORG_ID = "00DHu000000StSfMAK"
CLIENT_ID = "3MVG9stand.in.for.salesforce.consumer.key"
CLIENT_SECRET = "stand-in-consumer-secret"  # noqa: S105 - made up, opens nothing but the stand-in
REFRESH_TOKEN = "5Aep8stand.in.refresh.token"  # noqa: S105 - made up
ACCESS_TOKEN = f"{ORG_ID[:15]}!AQstand.in.session.0"
USERNAME = "integration@stand-in.example"
OFFICE_USERNAME = "office@stand-in.example"
API_VERSION = "62.0"


@dataclass(frozen=True)
class Credentials:
    """All that a client needs: where the org is, and every way in. The first line that the program prints."""

    system: str
    url: str
    instance_url: str
    login_url: str
    access_token: str
    client_id: str
    client_secret: str
    refresh_token: str
    username: str
    private_key: str
    api_version: str

    def as_dict(self) -> dict[str, str]:
        """Return the credentials as the JSON object that is printed."""
        return asdict(self)


def credentials_at(url: str) -> Credentials:
    """Return the credentials of a stand-in that listens at this address."""
    return Credentials(
        system="salesforce",
        url=url,
        instance_url=url,
        login_url=url,
        access_token=ACCESS_TOKEN,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        refresh_token=REFRESH_TOKEN,
        username=USERNAME,
        private_key=private_key(),
        api_version=API_VERSION,
    )


@cache
def private_key() -> str:
    """Return the key with which a client signs its JWT; its only certificate is known here."""
    return files(__package__).joinpath("stand_in_key.pem").read_text(encoding="ascii")
