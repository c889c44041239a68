"""English: what is said in which words."""

from antiphon_server.memory.extracting.grammar import Language, Rule
from antiphon_server.memory.extracting.model import Hold, Kind
from antiphon_server.memory.extracting.words.en import (
    DATES,
    DID,
    GOING,
    HATES,
    LIKES,
    MACROS,
    STARTS,
    VERBS,
)

_ALONE = (
    "got married|got engaged|got divorced|split up|separated|moved house|quit|resigned|retired|graduated|"
    "gave in my notice|handed in my notice|gave notice|lost my job|been promoted|was promoted"
)
_RULES = [
    Rule(
        "name",
        r"<C>my (?:full |first )?name(?:'s| is) (?P<v><NAME>)",
        "{who}'s name is {v}",
        single=True,
    ),
    Rule(
        "name",
        r"<C>(?:I'm called|everyone calls me|people call me) (?P<v><NAME>)<E>",
        "{who} is called {v}",
        single=True,
    ),
    Rule(
        "age",
        r"<C>(?:I'm|I am) <AD>(?P<v><NUM>)(?: years? old|(?=[,;.!]|\s*$| and\b| now\b| today\b))",
        "{who} is {v} years old",
        single=True,
    ),
    Rule("age", r"<C>(?:I|I've) <AD>turned (?P<v><NUM>)\b", "{who} is {v} years old", single=True),
    Rule(
        "turns",
        r"<C>(?:I'm|I am|I'll be|I turn) (?P<v><NUM>) (?=in|on|next|this)<REST><EC>",
        "{who} turns {v}",
        kind=Kind.EVENT,
        single=True,
        ahead=True,
        dated=True,
    ),
    Rule(
        "birthday",
        r"\bmy birthday(?:'s| is) (?:on )?(?P<v>[^,;.!?]{3,30}?\d[a-z]{0,2}|(?:the )?\d[^,;.!?]{3,25}?)<EC>",
        "{who}'s birthday is {v}",
        single=True,
    ),
    Rule(
        "lives_in",
        r"<C>(?:I no longer|I don't|(?P<we>we no longer|we don't)) live in (?P<v><NAME>)(?: any ?more)?",
        "{who} no longer [lives|live] in {v}",
        hold=Hold.OVER,
        single=True,
    ),
    Rule(
        "lives_in",
        r"<C><I> (?:used to live|lived) in (?P<v><NAME>)",
        "{who} used to live in {v}",
        hold=Hold.OVER,
        single=True,
    ),
    Rule(
        "lives_in",
        r"<C>(?:<I> <AD>live|<AM> <AD>(?:living|based)|(?:I've|(?P<we>we've)) <AD>(?:lived|been living)) (?P<p>in|near|outside|on) (?:the )?(?P<v><NAME>)",
        "{who} [lives|live] {p} {v}",
        single=True,
    ),
    Rule(
        "lives_in",
        r"<C><HAVE> <AD>moved (?:back |over |down |up |here )?to (?P<v><NAME>)",
        "{who} moved to {v} and [lives|live] there",
        single=True,
        confidence=0.85,
    ),
    Rule(
        "origin",
        r"<C>(?:(?:I'm|I am) (?:originally )?from|I come from|I grew up in|I was born in|I was born and raised in) (?P<v><NAME>)",
        "{who} comes from {v}",
        single=True,
    ),
    Rule(
        "works_as",
        r"<C>(?:I used to (?:be|work as)|I was|I worked as) (?:an? )?(?P<v><OCC>)<E>",
        "{who} used to be a {v}",
        hold=Hold.OVER,
        single=True,
    ),
    Rule(
        "works_as",
        r"<C>(?:I'm no longer|I'm not|I am no longer) (?:an? )?(?P<v><OCC>)<E>",
        "{who} is no longer a {v}",
        hold=Hold.OVER,
        single=True,
    ),
    Rule(
        "works_as",
        r"<C>(?:I <AD>work as|I'm <AD>working as|(?:I'm|I am) <AD>|I've <AD>been|I've <AD>become|I became|I <AD>started as) ?(?:an?|the)? ?(?P<v><OCC>)<E>",
        "{who} works as {v}",
        single=True,
    ),
    Rule(
        "works_at",
        r"<C>(?:I used to work|I worked) (?P<p>at|for|in) (?P<v>(?:the |a )?(?:<NAME>|(?:[a-z\-]+ ){0,2}?[a-z\-]+))<E>",
        "{who} used to work {p} {v}",
        hold=Hold.OVER,
        single=True,
    ),
    Rule(
        "works_at",
        r"<C>(?:I no longer work|I don't work) (?P<p>at|for|in) (?P<v>(?:the |a )?(?:<NAME>|(?:[a-z\-]+ ){0,2}?[a-z\-]+))<E>",
        "{who} no longer works {p} {v}",
        hold=Hold.OVER,
        single=True,
    ),
    Rule(
        "works_at",
        r"<C>(?:I <AD>work|I'm <AD>working) (?P<p>at|for) (?P<v>(?:the |an? )?(?:<NAME>|(?:[a-z\-]+ ){0,2}?[a-z\-]+(?: in <NAME>)?))<E>",
        "{who} works {p} {v}",
        single=True,
    ),
    Rule(
        "works_at",
        r"<C>I(?:'ve)? (?:got|have|found) an? (?:new )?job (?P<p>at|with|in) (?P<v>(?:the |an? )?(?:<NAME>|(?:[a-z\-]+ ){0,2}?[a-z\-]+(?: in <NAME>)?))<E>",
        "{who} has a job {p} {v}",
        single=True,
    ),
    Rule(
        "studies",
        r"<C>(?:I'm|I am) <AD>(?:training|studying|learning|retraining) to (?:be|become) (?:an? )(?P<v><OCC>)<E>",
        "{who} is training to be a {v}",
        single=True,
    ),
    Rule(
        "studies",
        r"<C>(?:I <AD>study|I'm <AD>studying) (?P<v>[a-z]{4,}(?: (?:and )?[a-z]{4,}){0,2}?)(?= (?:at|in)\b|[,;.!]|\s*$)",
        "{who} studies {v}",
    ),
    Rule(
        "child",
        r"\b(?:my|our) (?P<p>(?:eldest|oldest|youngest|younger|older|little|elder|middle|twin) )?(?:son|daughter|boy|girl|baby|kid)(?:'s name is|'s called| is called| is named|'s named|,)? (?P<v>(?-i:[A-ZÀ-Þ][\w\-]+))(?! (?:is|was) (?:a|an) (?:dog|cat))",
        "{who} has a child named {v}",
    ),
    Rule(
        "child",
        r"<C>(?:I don't|I haven't|we don't|we haven't)(?: have| got)+ (?:a|any) (?P<v>child|children|kids)\b",
        "{who} [has|have] no children",
        hold=Hold.NOT,
    ),
    Rule(
        "partner",
        r"\bmy (?P<p>wife|husband|partner|girlfriend|boyfriend|fiancée?)(?:'s name is|'s called| is called|,)? (?P<v>(?-i:[A-ZÀ-Þ][\w\-]+))",
        "{who}'s {p} is {v}",
        single=True,
    ),
    Rule(
        "relative",
        r"\b(?:my|our) (?:(?:little|big|older|younger|eldest|youngest|late|own) )?(?P<p><KIN>)(?:'s name is|'s called| is called)? (?P<v>(?-i:[A-ZÀ-Þ][\w\-]+))",
        "{who}'s {p} is {v}",
    ),
    Rule(
        "pet",
        r"<C>(?:I no longer have|I don't have) an? (?:<PET>) (?:called|named) (?P<v><NAME>)",
        "{who} no longer has {v}",
        hold=Hold.OVER,
    ),
    Rule(
        "pet",
        r"\b(?:my|our) (?:(?:old|little|new|poor|dear|beloved|crazy|lazy|other) )*(?P<p><PET>)(?:'s name is|'s called| is called| is named|,)? (?P<v>(?-i:[A-ZÀ-Þ][\w\-]+))",
        "{who} [has|have] a {p} named {v}",
    ),
    Rule(
        "pet",
        r"<C><HAVEGOT> (?:an? |two |three )(?:[a-z\-]+ ){0,2}?(?P<p><PET>)s?,? (?:that's |who's |which is )?(?:called|named) (?P<v><NAME>)",
        "{who} [has|have] a {p} named {v}",
    ),
    Rule(
        "pet",
        r"<C><HAVEGOT> (?P<v>(?:an? |two |three |four )(?:[a-z\-]+ ){0,1}?<PET>s?)<E>",
        "{who} [has|have] {v}",
        confidence=0.8,
    ),
    Rule(
        "pet",
        r"\bmy (?P<v><PET>)(?= (?:is|has|was|likes|loves|hates|sleeps|ate|and I)\b)",
        "{who} has a {v}",
        confidence=0.85,
    ),
    Rule(
        "owns",
        r"<C>(?:<I> <AD>own|<HAVEGOT>) (?P<v>(?:an? |two |three )(?:[a-z\-]+ ){0,2}?<GOODS>(?: (?:in|near|on) <NAME>)?)<E>",
        "{who} [owns|own] {v}",
        confidence=0.85,
    ),
    Rule(
        "allergic",
        r"<C>(?:I'm not|I'm no longer) allergic to (?P<v><SOME>)<E>",
        "{who} is not allergic to {v}",
        hold=Hold.NOT,
    ),
    Rule(
        "allergic",
        r"<C>(?:(?:I'm|I am) <AD>(?:badly |severely |terribly )?allergic to|I(?:'ve| have)(?: got)? an? (?:bad |severe )?allergy to) (?P<v><SOME>)<E>",
        "{who} is allergic to {v}",
        confidence=0.95,
    ),
    Rule(
        "speaks",
        r"<C>I <AD>speak (?:fluent |some |a little |a bit of |good |no )?(?P<v><LANG>)",
        "{who} speaks {v}",
    ),
    Rule(
        "speaks",
        r"<C>(?:I'm <AD>learning|I've <AD>started (?:learning|to learn)) (?P<v><LANG>)\b",
        "{who} is learning {v}",
    ),
    Rule(
        "diet",
        r"<C>(?:I've stopped being|I'm no longer|I'm not|I used to be|I was) (?:an? )?<AD>(?P<v><DIET>)",
        "{who} is no longer {v}",
        kind=Kind.PREFERENCE,
        hold=Hold.OVER,
    ),
    Rule(
        "diet",
        r"<C>(?:(?:I'm|I am) <AD>|I've been |I've gone |I've become |I went )(?:an? )?<AD>(?P<v><DIET>)",
        "{who} is {v}",
        kind=Kind.PREFERENCE,
    ),
    Rule(
        "eats",
        r"<C>(?:I (?:don't|do not|never|no longer) (?:eat|drink|touch)|I've (?:stopped|given up|quit) (?:eating|drinking)|I've given up|I (?:can't|cannot) eat) (?P<v><FOOD>)\b",
        "{who} takes no {v}",
        kind=Kind.PREFERENCE,
        hold=Hold.NOT,
    ),
    Rule(
        "likes",
        r"<C>I used to <AD>(?:love|like|adore|enjoy) (?P<v><THING>)<E>",
        "{who} used to like {v}",
        kind=Kind.PREFERENCE,
        hold=Hold.OVER,
    ),
    Rule(
        "likes",
        rf"<C>(?:I <AD>(?:{HATES})|I don't <AD>like|I no longer (?:like|love|enjoy)|I'm not (?:keen on|fond of|a fan of)|I've gone off) (?P<v><THING>)<E>",
        "{who} doesn't like {v}",
        kind=Kind.PREFERENCE,
        hold=Hold.NOT,
    ),
    Rule(
        "likes",
        rf"<C>(?:I <AD>(?:{LIKES})|I'm <AD>(?:fond of|keen on|crazy about|mad about|addicted to|a (?:big |huge )?fan of)) (?P<v><THING>)<E>",
        "{who} likes {v}",
        kind=Kind.PREFERENCE,
    ),
    Rule(
        "favourite",
        r"\bmy (?:all-time )?favou?rite (?P<p>[a-z]+(?: [a-z]+)?) (?:is|are|has always been) (?P<v><SOME>)<E>",
        "{who}'s favourite {p} is {v}",
        kind=Kind.PREFERENCE,
    ),
    Rule(
        "does",
        r"<C>(?:I used to|I no longer|I don't) play (?P<p>the )?(?P<v><GAME>)",
        "{who} no longer plays {p}{v}",
        hold=Hold.OVER,
    ),
    Rule(
        "does",
        r"<C>(?:I've given up|I gave up|I've stopped|I quit|I've quit|I stopped) (?:playing )?(?P<p>the )?(?P<v><GAME>|smoking|running|drinking|swimming|climbing|dancing|painting|knitting)\b",
        "{who} gave up {p}{v}",
        hold=Hold.OVER,
    ),
    Rule(
        "does",
        r"<C>(?:I <AD>play|I've <AD>(?:started|taken up)(?: playing)?|I'm <AD>learning(?: to play)?|I've been playing) (?P<p>the )?(?P<v><GAME>)\b",
        "{who} plays {p}{v}",
    ),
    Rule(
        "does",
        r"<C><I> <AD>(?P<verb>run|swim|cycle|climb|sing|dance|paint|teach|train|volunteer|play|cook|bake) (?P<v>(?:[\w'\-]+ ){0,6}?<OFTEN>)<EC>",
        "{who} {verb} {v}",
    ),
    Rule(
        "plan",
        rf"<C>(?P<verb>I'm|I am|(?P<we>we're|we are)) <AD>(?P<v>(?:{GOING}) <REST>|getting married <REST>)<EC>",
        "{who} {verb} {v}",
        kind=Kind.EVENT,
        ahead=True,
        dated=True,
    ),
    Rule(
        "plan",
        rf"<C><I> <AD>(?P<verb>{STARTS}) (?P<v><REST>)<EC>",
        "{who} {verb} {v}",
        kind=Kind.EVENT,
        ahead=True,
        dated=True,
    ),
    Rule(
        "plan",
        r"<C>(?P<verb>I'll|I will|(?P<we>we'll|we will)) <AD>(?P<v>(?:be|go|fly|start|begin|move|leave|travel|open|sign|visit|come|marry|retire|spend|play|speak|run|drive|have) <REST>)<EC>",
        "{who} {verb} {v}",
        kind=Kind.EVENT,
        ahead=True,
        dated=True,
    ),
    Rule(
        "plan",
        r"<C>(?P<verb>I've got|I have|I've|(?P<we>we've got|we have|we've)) (?P<v>(?:an? |my |our )(?:[\w\-]+ ){1,4}?(?:on|in|at|next|this|tomorrow|the) <REST>)<EC>",
        "{who} {verb} {v}",
        kind=Kind.EVENT,
        ahead=True,
        dated=True,
    ),
    Rule(
        "plan",
        r"<C>I have to (?P<v>(?:speak|be|give|go|start|move|travel|fly) <REST>)<EC>",
        "{who} has to {v}",
        kind=Kind.EVENT,
        ahead=True,
        dated=True,
    ),
    Rule(
        "plan",
        r"<C>(?P<verb>I'm|I am|(?P<we>we're|we are)) <AD>(?P<v>(?:going|flying|off|travelling|moving) to <NAME>(?: <REST>)?)<EC>",
        "{who} {verb} {v}",
        kind=Kind.EVENT,
        ahead=True,
        confidence=0.8,
    ),
    Rule(
        "plan",
        r"<C>(?P<verb>I'm|I am|(?P<we>we're|we are)) <AD>(?P<v>going to (?:run|move|study|open|buy|sell|learn|apply|marry|get married|adopt|build|foster|start|quit|retire|leave|emigrate|have a baby)\b(?: <REST>)?|(?:selling|buying|expecting|adopting|renovating) (?:a |an |the |my |our )<REST>)<EC>",
        "{who} {verb} {v}",
        kind=Kind.EVENT,
        ahead=True,
        confidence=0.8,
    ),
    Rule(
        "event",
        r"<C>(?P<verb>I was|(?P<we>we were)) <AD>(?P<v>(?:in|on|at) <NAME>(?: <REST>)?)<EC>",
        "{who} {verb} {v}",
        kind=Kind.EVENT,
        dated=True,
    ),
    Rule(
        "event",
        r"<C>(?P<verb>I'm|I am|(?P<we>we're|we are)) <AD>(?P<v>back from <NAME>)",
        "{who} {verb} {v}",
        kind=Kind.EVENT,
    ),
    Rule(
        "event",
        rf"<C><HAVE> <AD>(?P<verb>{_ALONE})(?: (?P<v><REST>))?<EC>",
        "{who} {verb} {v}",
        kind=Kind.EVENT,
    ),
    Rule(
        "event",
        rf"<C><HAVE> <AD>(?P<verb>{DID}) (?P<v><REST>)<EC>",
        "{who} {verb} {v}",
        kind=Kind.EVENT,
    ),
]
LANGUAGE = Language(
    telling=frozenset(
        "i the and is my of to in it that was for you have with not but are this at be from we they he she "
        "had been our your what there's don't i've who his her their would about just like live love hate".split()
    ),
    guard=r"\b(?:would|wouldn't|could|might|if|unless|wish|maybe|perhaps|probably|imagine|pretend\w*|suppose|"
    r"as though|dream(?:t|ed|ing)?|apparently|supposedly|i'd|we'd|i should|hopefully|i hope|"
    r"i think|i guess|not sure|sort of|kind of|the day i|until i|when i'm|when we're|so to speak)\b|"
    r"\b(?:he|she|they|who|mum|dad|everyone|people|[A-Z][a-z]+) (?:says?|said|thinks?|thought|claims?|asked|wrote|told|reckons?)\b",
    others="{name} and others",
    macros=MACROS,
    rules=_RULES,
    dates=DATES,
    turned={"my": "their", "our": "their", "myself": "themselves", "mine": "theirs", "me": "them", "us": "them", "ourselves": "themselves"},
    personal="I|I'm|I've|we|we're|we've|you|your|yours|nearly|almost|someone|somebody|ice cream|coffee|sandwich|sandwiches|it|him|her|them",
    denial=r"not|never|no longer|nobody|nothing",
    denied=r"any ?more|any longer|no more|not",
    idle=r"(?:it|that|this|these|those|him|her|them|you|how|what|when|which|one|both|all|everything|nothing|"
    r"something|anything|some|my|our|your|his|their|the)\b.*|(?:to|being|having)\b.*\b(?:that|this|it|you)|to|a lot|"
    r"(?:january|february|march|april|may|june|july|august|september|october|november|december|"
    r"monday|tuesday|wednesday|thursday|friday|saturday|sunday)",
    articles=r"^(?:the|an?|any|my|our|some|strictly) ",
    verbs=VERBS,
)  # fmt: skip
