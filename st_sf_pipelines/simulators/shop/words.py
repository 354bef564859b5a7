"""The words that people, companies, streets and jobs of the shop are made of."""

# fmt: off
FIRST_NAMES = (
    "James", "Mary", "Robert", "Patricia", "John", "Jennifer", "Michael", "Linda", "David", "Elizabeth", "William",
    "Barbara", "Richard", "Susan", "Joseph", "Jessica", "Thomas", "Sarah", "Charles", "Karen", "Daniel", "Lisa",
    "Matthew", "Nancy", "Anthony", "Sandra", "Mark", "Ashley", "Steven", "Emily", "Andrew", "Michelle", "Kevin",
    "Amanda", "Brian", "Melissa", "George", "Laura", "Timothy", "Amy", "Jason", "Angela", "Ryan", "Anna", "Eric",
    "Rachel", "Scott", "Olivia", "Brandon", "Grace", "Wei", "Mei", "Minh", "Priya", "Raj", "Fatima", "Omar", "Siobhan",
)
LAST_NAMES = (
    "Smith", "Johnson", "Williams", "Brown", "Jones", "Davis", "Miller", "Wilson", "Anderson", "Taylor", "Thomas",
    "Moore", "Jackson", "Martin", "Lee", "Thompson", "White", "Harris", "Clark", "Lewis", "Robinson", "Walker", "Young",
    "Allen", "King", "Wright", "Scott", "Hill", "Green", "Adams", "Nelson", "Baker", "Hall", "Campbell", "Mitchell",
    "Carter", "Roberts", "Nguyen", "Tran", "Patel", "Kim", "Chen", "Wong", "O'Brien", "McDonald", "Van Dyke",
    "Smith-Jones", "de la Cruz", "St. John", "Kowalski", "Schröder", "Ivanov", "Haddad", "Okafor", "Yamamoto", "Silva",
)
SPANISH_FIRST_NAMES = (
    "María José", "José Luis", "Juan Carlos", "Ana María", "Guadalupe", "Alejandro", "Sofía", "Jesús", "Lucía", "Raúl",
    "Carmen", "Miguel Ángel", "Rosa", "Andrés", "Beatriz", "Héctor",
)
SPANISH_LAST_NAMES = (
    "García", "Hernández", "López", "Martínez", "González", "Rodríguez", "Pérez", "Sánchez", "Ramírez", "Torres",
    "Flores", "Rivera", "Gómez", "Díaz", "Reyes", "Morales", "Ortiz", "Núñez",
)
TITLES = ("Dr.", "Mr.", "Mrs.", "Ms.", "Rev.", "Prof.")
SUFFIXES = ("Jr.", "Sr.", "II", "III", "MD", "Esq.")
INITIALS = tuple("ABCDEFGHJKLMRSTW")
# How an office types a person's name, of a hundred: signs stand for themselves, lists for one of their words.
NAME_WAYS = (
    *((FIRST_NAMES, " ", LAST_NAMES),) * 50,
    *((LAST_NAMES, ", ", FIRST_NAMES),) * 14,
    *((FIRST_NAMES, " & ", FIRST_NAMES, " ", LAST_NAMES),) * 8,
    *((FIRST_NAMES, " ", INITIALS, ". ", LAST_NAMES),) * 6,
    *((TITLES, " ", FIRST_NAMES, " ", LAST_NAMES),) * 4,
    *((FIRST_NAMES, " ", LAST_NAMES, " ", SUFFIXES),) * 4,
    *((SPANISH_FIRST_NAMES, " ", SPANISH_LAST_NAMES, " ", SPANISH_LAST_NAMES),) * 11,
    (TITLES, " ", FIRST_NAMES, " ", INITIALS, ". ", LAST_NAMES, " ", SUFFIXES),
    ("  ", FIRST_NAMES, "  ", LAST_NAMES, " "),
    (LAST_NAMES,),
)
COMPANY_NAMES = (
    "Pacific", "Sunset", "Harbor", "Coastal", "Lone Star", "Mission", "Oak Grove", "Bluebonnet", "Canyon",
    "Golden State", "Hill Country", "Vista", "Ridgeline", "Mesquite", "Palm Court", "Silver Creek", "Del Mar", "Brazos",
    "Torrey Pines",
)
COMPANY_TRADES = (
    "Property Management", "Hotel & Spa", "Homeowners Association", "Apartments", "Swim Club", "Fitness Center",
    "Elementary School", "Church of Christ", "Restaurant Group", "Builders", "Realty Partners", "Car Wash",
    "Dental Care",
)
COMPANY_FORMS = ("", "", " LLC", " Inc.", " Co.", " Corp.", ", Inc.", " LP")

STREET_NAMES = (
    "Oak", "Maple", "Palm", "Mesa", "Sunset", "Lake", "Hill", "Cedar", "Mission", "Vista", "Pecan", "Magnolia", "Ocean",
    "Sycamore", "Camino Real", "Eucalyptus", "Live Oak", "Bluebonnet", "Juniper", "Canyon", "Orchard", "Valley",
    "Ranch", "Jacaranda", "Pine", "Lantana", "Aspen", "Coral", "Hacienda", "Stagecoach",
)
STREET_KINDS = ("St", "Ave", "Dr", "Ln", "Blvd", "Ct", "Way", "Rd", "Pl", "Cir")
UNITS = ("Apt 2", "Unit B", "#14", "Suite 200", "Apt 305", "Unit 7")
CALIFORNIA = (
    ("San Diego", "CA", 92101, 619), ("Chula Vista", "CA", 91910, 619), ("Carlsbad", "CA", 92008, 760),
    ("Escondido", "CA", 92025, 760), ("Irvine", "CA", 92602, 949), ("Anaheim", "CA", 92801, 714),
    ("Riverside", "CA", 92501, 951), ("Temecula", "CA", 92590, 951), ("Long Beach", "CA", 90802, 562),
    ("Pasadena", "CA", 91101, 626), ("Oceanside", "CA", 92054, 760), ("La Mesa", "CA", 91941, 619),
)
TEXAS = (
    ("Houston", "TX", 77002, 713), ("Dallas", "TX", 75201, 214), ("Austin", "TX", 78701, 512),
    ("San Antonio", "TX", 78205, 210), ("Plano", "TX", 75023, 972), ("Katy", "TX", 77449, 281),
    ("Frisco", "TX", 75033, 972), ("Round Rock", "TX", 78664, 512), ("Fort Worth", "TX", 76102, 817),
    ("Sugar Land", "TX", 77478, 281), ("McKinney", "TX", 75069, 972), ("The Woodlands", "TX", 77380, 281),
)
ARIZONA = (
    ("Phoenix", "AZ", 85003, 602), ("Mesa", "AZ", 85201, 480), ("Scottsdale", "AZ", 85250, 480),
    ("Tempe", "AZ", 85281, 480), ("Glendale", "AZ", 85301, 623), ("Tucson", "AZ", 85701, 520),
    ("Chandler", "AZ", 85224, 480), ("Peoria", "AZ", 85345, 623),
)
MAIL_HOSTS = ("example.com", "example.org", "example.net", "mail.example.com", "post.example.org", "home.example.net")
BAD_MAILS = ("none", "n/a", "no email", "unknown@", "@example.com", "jsmith.example.com", "a b@example.com", "x@y@z")

WORK = {
    "Pool - Sales":         ("New pool consultation", "Remodel estimate", "Solar heater estimate"),
    "Pool - Service":       ("Weekly service start", "Green pool recovery", "Pump noise", "Heater no ignition"),
    "Pool - Install":       ("Variable speed pump", "Pool remodel", "Heater replacement", "Salt system"),
    "Electrical - Sales":   ("Panel upgrade consultation", "EV charger estimate", "Generator estimate"),
    "Electrical - Service": ("Breaker trips", "Outlet dead", "Ceiling fan swap", "Smoke detector service"),
    "Electrical - Install": ("200A panel upgrade", "EV charger", "Whole home rewire", "Generator"),
}

CAMPAIGNS = (
    ("Website", "Online"), ("Google Ads", "Online"), ("Facebook", "Online"), ("Referral", "Word of mouth"),
    ("Repeat customer", "Word of mouth"), ("Door hanger", "Print"), ("Truck wrap", "Signs"), ("Home show", "Events"),
    ("Yellow pages", "Print"),
)
CATEGORIES = ("Online", "Word of mouth", "Print", "Signs", "Events")
CANCEL_REASONS = ("Customer changed mind", "No show", "Price", "Duplicate", "Weather", "Went with a competitor")
TECHNICIANS = 14
ROLES = ("GeneralOffice", "CSR", "CSR", "Dispatch", "SalesManager", "Accounting", "Owner", "CSR")
TAGS = ("Member", "Do not text", "Gate code", "Warranty", "Dog in yard", "Financing", "Past due", "HOA")
LEAD_SUMMARIES = (
    "Wants a quote for a new pump", "Asked about solar heating", "Pool turned green", "EV charger for a new car",
    "Panel is full", "Wants a generator before the summer",
)
BOOKING_SOURCES = ("Website", "Google", "Angi", "Yelp")
CANCEL_MEMOS = ("Called in", "Left a voicemail", "Rain all week", "Will call again", "Sold the house")
PAYMENT_TYPES = ("Credit Card", "Credit Card", "Check", "ACH", "Cash")
TIERS = ("", "", "", " - Good", " - Better", " - Best", " (option B)")
# fmt: on
