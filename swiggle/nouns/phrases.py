"""What people say to change a character: sentences to develop with and to score with, and other words for traits."""

from swiggle.composition import Requests, Sentences

_DEVELOPMENT: Sentences = {
    "background": ("change the background to {name}",),
    "body": ("give it a {name} body",),
    "accessory": ("put {name} on the shirt",),
    "head": ("make it a {name}",),
    "glasses": ("give it {name} glasses",),
}
_HELD_OUT: Sentences = {
    "background": (
        "could the backdrop be {name}?", "paint the wallpaper {name}", "I'd rather have a {name} background behind him",
        "background: {name}, thanks",
    ),
    "body": (
        "dress him in a {name} shirt", "his torso should turn {name}", "how about a {name} body for her",
        "let the shirt become {name}",
    ),
    "accessory": (
        "print {name} on the chest", "I want to see {name} on the shirt", "swap the accessory for {name}",
        "its print must be {name}",
    ),
    "head": (
        "show him with the head of a {name}", "can he have a {name} for a head", "trade the face for a {name}",
        "turn this one into a {name}",
    ),
    "glasses": (
        "let her wear {name} goggles", "change his spectacles to {name}", "put {name} eyeglasses on this noun",
        "{name} noggles would be great",
    ),
}  # fmt: skip
_PARAPHRASES: Sentences = {
    "background": ("a {name} backdrop please", "let the wallpaper be {name}"),
    "body": ("dress it in a {name} top", "I want a {name} torso"),
    "accessory": (
        "let its accessory be {name}", "could you print {name} on its shirt",
    ),
    "head": ("turn him into a {name}", "swap the face for a {name}"),
    "glasses": ("wear {name} specs", "try some {name} eyewear on her"),
}  # fmt: skip
_SYNONYMS: dict[str, dict[str, tuple[str, ...]]] = {
    "background": {"warm": ("cosy", "warm toned"), "cool": ("cold", "chilly")},
    "body": {
        "blue sky": ("sky blue",), "darkbrown": ("dark brown",), "darkpink": ("dark pink",), "foggrey": ("fog gray",),
        "bluegrey": ("blue gray",), "red": ("crimson",), "purple": ("violet",), "gold": ("golden",),
    },
    "accessory": {
        "chicken": ("hen",), "stains blood": ("blood spatter",), "tie red": ("red necktie",), "flash": ("lightning",),
        "bling gold ingot": ("gold bar",), "snowflake": ("flake of snow",), "lightbulb": ("light bulb",),
        "fries": ("french fries",), "checkers blue": ("blue chequers",), "stripes brown": ("brown stripes",),
        "gradient sunset": ("sunset colours",), "broken heart": ("heartbreak",), "eth": ("ethereum",),
    },
    "head": {
        "car": ("automobile",), "cat": ("kitten", "feline"), "dog": ("puppy", "hound"), "rabbit": ("bunny",),
        "doughnut": ("donut",), "laptop": ("notebook computer",), "trashcan": ("rubbish bin", "garbage can"),
        "taxi": ("cab",), "orca": ("killer whale",), "plane": ("aeroplane",), "helicopter": ("chopper",),
        "dino": ("dinosaur",), "ufo": ("flying saucer",), "hotdog": ("hot dog",), "burger dollarmenu": ("hamburger",),
        "couch": ("sofa",), "backpack": ("rucksack",), "mushroom": ("toadstool",), "piggybank": ("money box",),
        "green snake": ("serpent",), "pirateship": ("pirate ship",), "washingmachine": ("washing machine",),
        "earth": ("globe",), "rock": ("stone",), "saguaro": ("cactus",), "watch": ("wristwatch",), "mug": ("cup",),
        "ghost b": ("spook",), "crown": ("diadem",), "bat": ("flying bat",), "toaster": ("bread toaster",),
        "volcano": ("erupting mountain",), "beer": ("lager",), "skeleton hat": ("bones",), "smile": ("grin",),
    },
    "glasses": {
        "square red": ("red square",), "square blue": ("blue square",), "hip rose": ("pink hip",),
        "square fullblack": ("completely black square",), "deep teal": ("dark teal",), "grass": ("lawn",),
        "square grey light": ("light gray square",), "square smoke": ("smoky square",),
    },
}  # fmt: skip
_UNKNOWN = (
    "make it a zorblax", "give it a fnargle head", "put quuxlets on the shirt", "a vrindle background", "wear blorptic",
    "turn it into a skrimshander", "with plumbidous glasses", "grommish body please", "xyzzy", "more wibbleton",
)  # fmt: skip
REQUESTS = Requests(_DEVELOPMENT, _HELD_OUT, _PARAPHRASES, _SYNONYMS, _UNKNOWN)
