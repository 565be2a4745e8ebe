"""The English of requests: which words say what is to be done, none of them what with.

Words for the places of a picture and words without content are not here but in the vocabulary of a data set
(`swiggle/nouns/vocabulary.yaml` is one).
"""

import re

REMOVE = {
    "remove", "without", "no", "lose", "drop", "delete", "off", "erase", "rid", "ditch", "minus", "hide",
    "lacking", "omit",
}  # fmt: skip
LOWER = {"less", "fewer", "reduce", "decrease", "weaker", "lower", "weaken", "soften"}
RAISE = {"more", "stronger", "increase", "boost", "extra", "strengthen", "intensify", "raise"}
AMOUNTS = {
    "bit": 0.5, "little": 0.5, "slightly": 0.5, "somewhat": 0.5, "touch": 0.5, "half": 0.5,
    "much": 2.0, "lot": 2.0, "lots": 2.0, "far": 2.0, "way": 2.0, "strongly": 2.0, "twice": 2.0, "double": 2.0,
}  # fmt: skip
COMPARATIVES = {
    "redder": "red", "bluer": "blue", "greener": "green", "yellower": "yellow", "pinker": "pink", "browner": "brown",
    "greyer": "grey", "grayer": "gray", "blacker": "black", "whiter": "white", "darker": "dark", "lighter": "light",
    "colder": "cold", "warmer": "warm", "cooler": "cool",
}  # fmt: skip
STOP_WORDS = {
    "give", "make", "put", "add", "turn", "change", "set", "wear", "wears", "want", "use", "let", "get", "take", "swap",
    "into", "try", "become", "becomes", "replace", "show", "keep", "down", "up", "out", "look", "looks", "like", "him",
    "her", "them", "he", "she", "they", "me", "my", "i", "you", "can", "could", "would", "should", "will",
    "his", "their", "your", "from", "instead", "so", "switch", "trade", "exchange", "transform", "convert", "dress",
    "tone", "dial", "crank", "turned", "i'd", "i'll", "let's", "it's", "don't", "doesn't", "isn't", "not", "do", "does",
    "had", "got", "having", "new", "now", "just", "kind", "sort", "than", "too", "draw", "paint", "need", "needs",
    "what", "about", "how", "if", "was", "were", "are", "being", "leave", "rather", "longer", "substitute", "same",
    "everything", "else", "go", "going", "bring", "some", "something", "one", "ones", "any", "all", "hello", "hi",
    "hey", "thanks", "thank", "or", "maybe", "must", "may", "see", "prefer", "style", "type", "covered",
}  # fmt: skip
"""Verbs of requests and small words of speech: they name no thing, and no vocabulary of a data set lists them."""
SMALL_WORDS = {"a", "an", "the", "it", "its", "this", "that", "these", "those", "please"}
"""Articles and the like, which a vocabulary need not list for prompts to be understood."""
DEFINITE = {"the", "its", "his", "her", "their", "those", "these", "that"}
STARTERS = (
    REMOVE | LOWER | RAISE | STOP_WORDS | DEFINITE | AMOUNTS.keys() | COMPARATIVES.keys()
    | {"a", "an", "please", "keep", "leave", "never", "dont"}
)  # fmt: skip
"""Words with which a request may begin after "and"."""

END = re.compile(r"[;.!?]+")
"""Between sentences."""
BREAK = re.compile(
    r",+|\bthen\b|\bbut\b|\balso\b|\bplus\b|\bwhile\b|\bexcept\b"
    r"|(?=\bwithout\b)|\bwith (?=no\b|less\b|more\b|fewer\b)|(?<=\S) (?=instead of\b.*,)"
)
"""Between requests."""
BESIDE = re.compile(r"\b(?:with|wearing|(?:on|in)(?= an?\b))\b")
"""Between what a picture shows and what it shows beside that; "tie black on white" is the name of one thing."""
IN_PLACE_OF_FIRST = re.compile(r"\b(?:instead of|rather than) ([^,]+),\s*([^,]+)")

_CHANGE = r"(?:chang|touch|alter|modify|mess|affect|replac)\w*"
KEEP = re.compile(rf"\b(?:keep|preserve|retain|leave(?! (?:out|off)))\b|\bwithout {_CHANGE}")
UNWANTED = re.compile(r"\b(?:don't|doesn't|do not|does not|dont|shouldn't|should not)\s+(?:want|need|like|have|wear)\b")
NEVER = re.compile(r"\b(?:don't|do not|dont|never|doesn't|does not)\b")
NOT = re.compile(r"\b(?:not|isn't|aren't|no longer|take (?:\w+ ){0,3}off|leave (?:out|off)|get rid)\b")
NOT_SO = re.compile(r"\b(?:not|isn't|aren't) (?:so|as|that|too|quite)\b|\btoo (?:much |many )?\w")
_CHANGE_OF_LEVEL = r"\b(?:turn|dial|tone|crank|bring|ramp|push)(?:ed)?\b"
LESS = re.compile(rf"{_CHANGE_OF_LEVEL}.*\bdown\b|\bhalf as\b")
MORE = re.compile(rf"{_CHANGE_OF_LEVEL}.*\bup\b|\b(?:twice|double) (?:as|the)\b")

_A = r"(?:a|an|some|the)\b"
PAIRS = tuple(
    re.compile(pattern)
    for pattern in (
        r"\bsubstitute (?P<new>.+?) for (?P<old>.+)",
        r"(?P<new>.+?) (?:instead of|rather than|in place of) (?P<old>.+)",
        r"\b(?:swap|switch|trade|exchange|substitute)\b(?: out)? (?P<old>.+?) (?:for|with|to|by) (?P<new>.+)",
        r"\breplace (?P<old>.+?) (?:with|by|for) (?P<new>.+)",
        r"\bfrom (?P<old>.+?) (?:in)?to (?P<new>.+)",
        r"\b(?:turn|transform|convert|change|make) (?P<old>.+?) (?:in)?to (?P<new>.+)",
        r"\b(?:let|have) (?P<old>.+?) (?:be|become) (?P<new>.+)",
        rf"\b(?:make|turn) (?P<old>(?:the|its|his|her|their) .+?) (?P<new>{_A} .+)",
    )
)
"""Ways to say what is wanted in place of what."""
PAIR_BEGINS = re.compile(r"\b(?:swap|switch|trade|exchange|substitute|replace)\b")
"""After which "with" says what is wanted in place of something."""
