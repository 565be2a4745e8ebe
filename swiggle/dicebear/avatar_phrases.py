"""What people say to change an avatar: sentences to develop with and to score with, and other words for traits."""

from swiggle.composition import Requests, Sentences

_DEVELOPMENT: Sentences = {
    "background": ("change the background to {name}",),
    "skin": ("give them {name} skin",),
    "earrings": ("put on {name} earrings",),
    "shirt": ("give them a {name} shirt",),
    "eyes": ("give them {name} eyes",),
    "glasses": ("put {name} glasses on them",),
    "beard": ("give them {name} beard",),
    "mouth": ("give them a {name} mouth",),
    "hair": ("give them {name} hair",),
    "hat": ("put {name} hat on them",),
}
_HELD_OUT: Sentences = {
    "background": (
        "could the backdrop be {name}?", "paint the wallpaper {name}", "I'd rather have a {name} background behind her",
        "background: {name}, thanks",
    ),
    "skin": (
        "let his skin be {name}", "I want to see a {name} complexion", "how about {name} skin for her",
        "could she have {name} skin?",
    ),
    "earrings": (
        "let her wear {name} earrings", "could he have {name} earrings?", "{name} earrings would be great",
        "change the earrings to {name}",
    ),
    "shirt": (
        "dress him in a {name} top", "let the shirt become {name}", "how about a {name} outfit for her",
        "swap the clothes for a {name} shirt",
    ),
    "eyes": (
        "could he have {name} eyes?", "her eyes must be {name}", "let the gaze become {name}",
        "I'd like to see {name} eyes",
    ),
    "glasses": (
        "let her wear {name} specs", "I want {name} eyeglasses", "could he have {name} spectacles?",
        "{name} eyewear would be great",
    ),
    "beard": (
        "let him have {name} beard", "I want to see {name} beard", "{name} whiskers would be great",
        "how about {name} beard for him",
    ),
    "mouth": (
        "let his mouth be {name}", "I want a {name} expression", "could she have a {name} mouth?",
        "change her lips to {name}",
    ),
    "hair": (
        "let her hair be {name}", "how about a {name} hairdo", "could he have {name} hair?",
        "trade the haircut for {name} hair",
    ),
    "hat": (
        "let him wear {name} cap", "I'd rather see {name} hat", "how about {name} headgear for her",
        "{name} hat would be great",
    ),
}  # fmt: skip
_PARAPHRASES: Sentences = {
    "background": ("a {name} backdrop please", "let the wallpaper be {name}"),
    "skin": ("a {name} complexion please", "try {name} skin"),
    "earrings": ("try {name} earrings on her", "wear {name} earrings"),
    "shirt": ("dress it in a {name} jumper", "I want a {name} top"),
    "eyes": ("try {name} eyes", "a {name} gaze please"),
    "glasses": ("wear {name} specs", "try {name} eyewear on her"),
    "beard": ("try {name} facial hair", "grow {name} beard"),
    "mouth": ("try a {name} expression", "a {name} mouth please"),
    "hair": ("a {name} haircut please", "I want {name} locks"),
    "hat": ("wear {name} cap", "try {name} headwear on him"),
}
_SYNONYMS: dict[str, dict[str, tuple[str, ...]]] = {
    "background": {"lilac": ("lavender", "light purple"), "grey": ("gray",), "mint": ("light green",)},
    "skin": {"pale": ("fair", "light"), "tan": ("tanned",), "dark": ("dark brown",)},
    "earrings": {"square gold": ("golden square",), "long silver": ("dangling silver",)},
    "shirt": {
        "striped red": ("stripy crimson",), "checkered blue": ("plaid blue", "chequered blue"),
        "plain navy": ("simple dark blue",), "high collared green": ("turtleneck green",),
    },
    "eyes": {"round": ("circular",), "narrow": ("small",), "sleepy": ("tired", "drowsy"), "wide": ("wide open",)},
    "glasses": {"tinted black": ("dark black", "shaded black"), "square red": ("boxy red",)},
    "beard": {"full black": ("bushy black",), "trimmed red": ("short ginger",), "pointed blond": ("pointy blonde",)},
    "mouth": {
        "smiling": ("happy", "cheerful"), "frowning": ("sad", "unhappy"), "straight": ("neutral",), "open": ("gaping",),
    },
    "hair": {
        "long blond": ("long blonde",), "short red": ("short ginger",), "braided brown": ("plaited brown",),
        "curly black": ("curled black", "frizzy black"), "cropped brown": ("clipped brown",),
    },
    "hat": {"knitted red": ("woolly red",), "striped blue": ("stripy blue",), "peaked pink": ("baseball pink",)},
}  # fmt: skip
_UNKNOWN = (
    "make it a zorblax", "give it fnargle hair", "put quuxlets on the shirt", "a vrindle background", "wear blorptic",
    "turn it into a skrimshander", "with plumbidous glasses", "grommish hat please", "xyzzy", "more wibbleton",
)  # fmt: skip
REQUESTS = Requests(_DEVELOPMENT, _HELD_OUT, _PARAPHRASES, _SYNONYMS, _UNKNOWN)
