"""Of English."""

from antiphon_server.memory.extracting.dates import DateWords

DATES = DateWords(
    numbers={
        "a": 1, "an": 1, "one": 1, "two": 2, "a couple of": 2, "three": 3, "four": 4, "five": 5, "six": 6,
        "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "fifteen": 15, "twenty": 20,
        "thirty": 30,
    },
    units={
        "day": "day", "days": "day", "week": "week", "weeks": "week", "month": "month", "months": "month",
        "year": "year", "years": "year",
    },
    weekdays={
        "monday": 0, "tuesday": 1, "wednesday": 2, "thursday": 3, "friday": 4, "saturday": 5, "sunday": 6,
    },
    months={
        "january": 1, "february": 2, "march": 3, "april": 4, "may": 5, "june": 6, "july": 7, "august": 8,
        "september": 9, "october": 10, "november": 11, "december": 12,
    },
    seasons={"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12},
    patterns=[
        ("(?:the )?<D>(?:st|nd|rd|th)?(?: of)? <M>(?:,? <Y>)?", "date"),
        ("<M> (?:the )?<D>(?:st|nd|rd|th)?(?:,? <Y>)?", "date"),
        ("since <Y>", "since year"),
        ("since <M>(?: <Y>)?", "since month"),
        ("the day before yesterday", "day:-2"),
        ("the day after tomorrow", "day:2"),
        ("yesterday|last night", "day:-1"),
        ("tomorrow", "day:1"),
        ("today|this (?:morning|afternoon|evening)|tonight", "day:0"),
        ("<N> <U> ago", "moved:-1"),
        ("for (?:the last )?<N> <U>(?: now)?", "since moved:-1"),
        ("in <N> (?:more )?<U>(?:'s? time)?", "moved:1"),
        ("last weekend|(?:at|over) the weekend", "weekend:-1"),
        ("this weekend", "weekend:0"),
        ("next weekend", "weekend:1"),
        ("last <U>", "unit:-1"),
        ("next <U>", "unit:1"),
        ("(?:on )?<W> week", "weekday:week"),
        ("last <W>", "weekday:last"),
        ("(?:next|this coming) <W>", "weekday:next"),
        ("since <W>", "since weekday:last"),
        ("(?:on |this )<W>", "weekday"),
        ("(?:last|next|this|in the|in) <S>", "season"),
        ("(?:in|from|until|last|next) <M>(?: <Y>)?", "month"),
        ("(?:in|from) <Y>", "year"),
        ("(?:on|by|from) the <D>(?:st|nd|rd|th)", "of_month"),
        ("(?:at|for|over|having|spending) Christmas", "christmas"),
        ("(?:at|for|over|after|having|spending) Easter", "easter"),
    ],
)  # fmt: skip

NUMBERS = (
    r"(?:\d{1,3}|(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)"
    r"(?:[- ](?:one|two|three|four|five|six|seven|eight|nine))?|"
    r"eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen)"
)
MACROS = {
    # Where a clause begins, with what people put before what they say.
    "C": r"(?:^\W*|(?<=[,;:–—(] )|(?<=[,;:–—(])|(?<=\band )|(?<=\bbut )|(?<=\bso )|(?<=\bbecause )|(?<=\bthat ))"
    r"(?:(?:so|well|now|yes|yeah|oh|ah|right|and|but|anyway|actually|honestly|also|then|today|yesterday|"
    r"meanwhile|finally|still|hi|hello|hey|okay|ok|personally|in fact|by the way|of course|as you know|"
    r"these days|nowadays|at the moment|currently|for my part|last \w+|next \w+|no(?=[,!.])|on \w+|since \w+)[,!.]* )*",
    "I": r"(?:I|(?P<we>we))",
    "AM": r"(?:I'm|I am|(?P<we>we're|we are))",
    "HAVE": r"(?:I've|I have|I|(?P<we>we've|we have|we))",
    "HAVEGOT": r"(?:I've|I have|I've got|I have got|(?P<we>we've|we have|we've got|we have got))",
    "AD": r"(?:(?:really|absolutely|just|still|also|always|now|simply|both|all|currently|finally|even|usually|"
    r"actually|already|rather|quite|only|personally|definitely|both) )*+",
    "E": r"(?=[,;:()–—!…]|\.?\s*$| (?:and|but|because|since|so|although|though|while|when|where|which|who|"
    r"more than|as|now|these days|at the moment|any ?more|any longer|again|too|as well|either|for|with|at|on)\b)",
    "EC": r"(?=[;:()–—!…]|,|\.?\s*$| (?:(?:and|but) (?:I|we|he|she|they|it|you|now|then|my|our|the)|because|"
    r"so|although|though|while|when|where|which|who|that)\b)",
    "OCC": r"(?:[a-z\-]+ ){0,2}?(?:nurse|teacher|doctor|physician|surgeon|dentist|vet|biologist|chemist|physicist|"
    r"scientist|researcher|engineer|developer|programmer|designer|architect|carpenter|electrician|plumber|"
    r"mechanic|baker|cook|chef|waiter|waitress|barista|bartender|gardener|farmer|fisherman|butcher|tailor|"
    r"hairdresser|barber|driver|pilot|sailor|skipper|soldier|police officer|firefighter|paramedic|midwife|"
    r"carer|caretaker|cleaner|secretary|accountant|bookkeeper|lawyer|solicitor|barrister|judge|journalist|"
    r"reporter|editor|writer|author|translator|interpreter|librarian|bookseller|bookbinder|shopkeeper|"
    r"salesman|saleswoman|salesperson|manager|consultant|analyst|administrator|clerk|student|apprentice|"
    r"trainee|intern|professor|lecturer|tutor|coach|musician|violinist|cellist|pianist|singer|actor|actress|"
    r"dancer|painter|sculptor|potter|photographer|film-?maker|therapist|physiotherapist|psychologist|"
    r"psychiatrist|pharmacist|optician|social worker|postman|postwoman|plasterer|joiner|roofer|bricklayer|"
    r"welder|boatbuilder|boat builder|watchmaker|jeweller|brewer|winemaker|beekeeper|geologist|historian|"
    r"archaeologist|economist|statistician|mathematician|astronomer|freelancer|pensioner|head of [a-z]+)",
    "LANG": r"(?:English|German|French|Spanish|Italian|Portuguese|Dutch|Polish|Russian|Ukrainian|Turkish|Arabic|"
    r"Persian|Farsi|Hindi|Urdu|Bengali|Tamil|Chinese|Mandarin|Cantonese|Japanese|Korean|Vietnamese|Swedish|"
    r"Norwegian|Danish|Finnish|Greek|Hebrew|Czech|Hungarian|Romanian|Welsh|Irish|Catalan|Basque|Swahili)",
    "GAME": r"(?:piano|guitar|bass|violin|viola|cello|double bass|flute|clarinet|saxophone|trumpet|"
    r"trombone|drums|accordion|harp|oboe|bassoon|ukulele|banjo|mandolin|organ|recorder|tennis|football|soccer|"
    r"basketball|volleyball|handball|hockey|rugby|cricket|golf|badminton|squash|chess|bridge|poker|table tennis)",
    "PET": r"(?:cat|kitten|dog|puppy|budgie|parrot|rabbit|hamster|guinea pig|horse|pony|tortoise|turtle|goldfish|"
    r"hen|chicken|ferret|rat|snake|lizard|goat|donkey|canary|labrador|terrier|spaniel|greyhound|collie|beagle)",
    "KIN": r"(?:brother|sister|mother|father|mum|mom|dad|grandmother|grandfather|grandson|granddaughter|grandchild|"
    r"niece|nephew|aunt|uncle|cousin|brother-in-law|sister-in-law|mother-in-law|father-in-law|godson|goddaughter)",
    "DIET": r"(?:strictly )?(?:vegetarian|vegan|pescatarian|gluten[- ]free|lactose[- ]intolerant|coeliac|celiac|"
    r"teetotal|diabetic|kosher|halal)",
    "FOOD": r"(?:any )?(?:red )?(?:meat|fish|pork|beef|seafood|shellfish|dairy|milk|cheese|eggs|gluten|wheat|bread|"
    r"sugar|nuts|peanuts|alcohol|wine|beer|coffee|caffeine|sweets|chocolate)",
    # A name would mostly be somebody's ("I love Helen").
    "THING": r"(?!(?-i:[A-ZÀ-Þ]))<SOME>",
    "GOODS": r"(?:house|cottage|farmhouse|flat|apartment|allotment|garden|car|van|boat|motorbike|motorcycle|bike|"
    r"bicycle|piano|caravan|camper|workshop|shop|cabin|barn|orchard|farm)",
    "NUM": NUMBERS,
    "OFTEN": r"(?:every \w+(?: \w+)?|on (?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days|once a \w+|twice a \w+|"
    r"(?:two|three|four|five) (?:days|times|nights) a week|most \w+s)",
}  # fmt: skip

LIKES = "love|like|adore|enjoy|prefer"
HATES = "hate|detest|loathe|dislike|can't stand|cannot stand|can't bear|don't like|do not like|don't enjoy"
VERBS = {
    "go": "goes", "fly": "flies", "start": "starts", "begin": "begins", "move": "moves", "leave": "leaves",
    "travel": "travels", "open": "opens", "sign": "signs", "sail": "sails", "drive": "drives", "return": "returns",
    "get": "gets", "finish": "finishes", "retire": "retires", "play": "plays", "run": "runs", "swim": "swims",
    "sing": "sings", "dance": "dances", "cycle": "cycles", "climb": "climbs", "paint": "paints", "read": "reads",
    "cook": "cooks", "bake": "bakes", "train": "trains", "teach": "teaches", "volunteer": "volunteers",
    "walk": "walks", "have": "has", "take": "takes", "i'm": "is", "i am": "is", "we're": "are", "we are": "are",
    "i've": "has", "i have": "has", "we've": "have", "we have": "have", "i'll": "will", "i will": "will",
    "been promoted": "has been promoted", "been offered": "has been offered", "been accepted": "has been accepted",
    "been asked to": "has been asked to", "given up": "has given up", "given": "has given", "i was": "was", "we were": "were", "come back from": "has come back from",
    "we'll": "will", "we will": "will", "i've got": "has", "we've got": "have",
}  # fmt: skip
VERBS |= {f"+{it}": it for it in VERBS if " " not in it and "'" not in it}
VERBS |= {
    f"+{it}": they.replace("has ", "have ") for it, they in VERBS.items() if they.startswith("has ")
}
GOING = (
    "going|off|flying|travelling|moving|starting|beginning|leaving|visiting|meeting|getting married|marrying|"
    "opening|coming|driving|sailing|taking|seeing|having|launching|playing|performing|giving|running|"
    "spending|staying|hosting|celebrating|finishing|retiring|signing|returning|working"
)
STARTS = "go|fly|start|begin|move|leave|travel|open|sign|sail|drive|return|get married|finish|retire|play"
DID = (
    "bought|sold|rented|leased|adopted|inherited|won|lost my job|married|got married|got engaged|"
    "got divorced|split up|separated|moved|quit|resigned|retired|graduated|passed|failed|signed|launched|"
    "gave in my notice|handed in my notice|gave notice|gave up|given up|got (?:the|a|my|our) (?:job|place|"
    "house|flat|keys|licence|driving licence|diploma|promotion|degree)|been promoted|was promoted|been offered|"
    "was offered|was born|been accepted|was accepted|enrolled|signed up|joined|founded|opened|published|"
    "finished|started (?=(?:a|an|my|our|at|as|working|learning)\b)|given (?=my \\w+ (?:back|up))|decided to (?:move|marry|sell|buy|leave|quit|retire|study|take|stop|start)|applied|hired|won|ordered|booked|planted|"
    "spent (?=(?:a|an|two|three|four|five|six|the|Easter|Christmas)\\b)|came back from|come back from|got back from|went to|been asked to|was asked to|visited|travelled to|flew to|stopped|"
    "crashed|swapped|traded in|said (?:yes|no) to|said goodbye to|turned down"
)
