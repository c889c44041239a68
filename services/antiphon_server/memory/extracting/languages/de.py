"""German."""

from antiphon_server.memory.extracting.dates import DateWords
from antiphon_server.memory.extracting.grammar import Language, Rule
from antiphon_server.memory.extracting.model import Hold, Kind

_DATES = DateWords(
    numbers={
        "ein": 1, "eine": 1, "einem": 1, "einer": 1, "einen": 1, "zwei": 2, "drei": 3, "vier": 4, "fünf": 5,
        "sechs": 6, "sieben": 7, "acht": 8, "neun": 9, "zehn": 10, "elf": 11, "zwölf": 12, "fünfzehn": 15,
        "zwanzig": 20, "dreißig": 30,
    },
    units={
        "tag": "day", "tage": "day", "tagen": "day", "woche": "week", "wochen": "week", "monat": "month",
        "monate": "month", "monaten": "month", "jahr": "year", "jahre": "year", "jahren": "year",
    },
    weekdays={
        "montag": 0, "dienstag": 1, "mittwoch": 2, "donnerstag": 3, "freitag": 4, "samstag": 5, "sonnabend": 5,
        "sonntag": 6,
    },
    months={
        "januar": 1, "jänner": 1, "februar": 2, "märz": 3, "april": 4, "mai": 5, "juni": 6, "juli": 7,
        "august": 8, "september": 9, "oktober": 10, "november": 11, "dezember": 12,
    },
    seasons={"frühling": 3, "frühjahr": 3, "sommer": 6, "herbst": 9, "winter": 12},
    patterns=[
        (r"<D>\. <M>(?: <Y>)?", "date"),
        ("seit <Y>", "since year"),
        ("seit <M>(?: <Y>)?", "since month"),
        ("seit <N> <U>", "since moved:-1"),
        ("schon <N> <U>", "since moved:-1"),
        ("vorgestern", "day:-2"),
        ("übermorgen", "day:2"),
        ("gestern", "day:-1"),
        ("heute", "day:0"),
        ("(?<!guten )(?<!jeden )(?<!am )(?-i:morgen)", "day:1"),
        ("vor <N> <U>", "moved:-1"),
        ("in <N> <U>", "moved:1"),
        ("(?:letzte[ns]?|vergangene[ns]?|vorige[ns]?) wochenende", "weekend:-1"),
        ("(?:nächste[ns]?|kommende[ns]?) wochenende", "weekend:1"),
        ("(?:dieses|am) wochenende", "weekend:0"),
        ("(?:letzte[ns]?|vergangene[ns]?|vorige[ns]?) <U>", "unit:-1"),
        ("(?:nächste[ns]?|kommende[ns]?) <U>", "unit:1"),
        ("(?:letzten|vergangenen|vorigen) <W>", "weekday:last"),
        ("(?:nächsten|kommenden) <W>", "weekday:next"),
        ("seit <W>", "since weekday:last"),
        ("(?:am|diesen|bis|ab) <W>", "weekday"),
        ("(?:letzten|nächsten|diesen|vergangenen|im|zum|letztes|nächstes|dieses) <S>", "season"),
        ("(?:im|ende|anfang|mitte|ab|bis|letzten|nächsten) <M>(?: <Y>)?", "month"),
        ("(?:im jahr )?<Y>", "year"),
        (r"(?:am|vom|zum|ab) <D>\.", "of_month"),
        ("(?:an|zu|über) weihnachten", "christmas"),
        ("(?:an|zu|über|nach) ostern", "easter"),
    ],
)  # fmt: skip

_TENS = "zwanzig|dreißig|vierzig|fünfzig|sechzig|siebzig|achtzig|neunzig"
_MACROS = {
    "B": r"(?:^\W*|(?<=[,;:–—(] )|(?<=\bund )|(?<=\baber )|(?<=\bdenn ))",
    # Words of time and place that may come before the verb.
    "L": r"(?!(?:den|das|es|ihn|sie|dem|da|dort|so|dann|wie|was|wo|wer|die|der) (?:ich|habe|hab|bin|haben|sind|wir)\b)(?:(?:[\w.\-]+ ){0,6}?)",
    "FILL": r"(?:(?:also|ja|nein|ach|oh|na|so|und|aber|jetzt|übrigens|hallo|hi|nun|eigentlich|ehrlich gesagt|"
    r"heute|gestern|außerdem|stell dir vor|weißt du)[,!.]* )*",
    "C": r"<B><FILL>",
    "AD": r"(?:(?:jetzt|nun|schon|auch|noch|immer noch|immer|ja|doch|eigentlich|wirklich|sehr|so|total|besonders|"
    r"einfach|übrigens|seit \w+(?: \w+)?|erst|endlich|am liebsten|leidenschaftlich|nur|zurzeit|momentan|"
    r"inzwischen|mittlerweile|wieder|gerade|richtig|ziemlich|absolut|ganz|mir|uns|selbst|selber|vor allem) )*",
    "E": r"(?=[,;:()–—!…]|\.?\s*$| (?:und|aber|weil|denn|mehr|seit|als|wenn|obwohl|oder|in|am|im|bei|für|mit|"
    r"auf|zum|nicht)\b)",
    "EC": r"(?=[;:()–—!…]|,|\.?\s*$| (?:(?:und|aber) (?:ich|wir|er|sie|es|dann|da|jetzt|meine?|das|die|der)|"
    r"weil|denn|obwohl|wenn|während|und (?:habe|bin|werde|haben|sind))\b)",
    "NOUN": r"(?:(?-i:[a-zäöüß]+(?:e|en|er|es) ))?(?-i:[A-ZÄÖÜ][\w\-]+)(?: (?:und|mit|aus|ohne) (?-i:[A-ZÄÖÜ][\w\-]+))?",
    "ONE": r"(?-i:[A-ZÄÖÜ][\w\-]+)",
    "OCC": r"(?-i:(?:Kranken|Alten|Kinderkranken|Heilerziehungs)(?:pfleger(?:in)?|schwester)|Pflegefach(?:frau|mann)|"
    r"(?:[A-ZÄÖÜ][a-zäöüß]+)?(?:[Ll]ehrer|[Vv]erkäufer|[Hh]ändler|[Mm]eister|[Ff]ahrer|[Bb]äcker|[Kk]och|[Mm]aler|"
    r"[Tt]ischler|[Ss]chreiner|[Gg]ärtner|[Ss]chneider|[Mm]echaniker|[Ee]lektriker|[Tt]echniker|[Ii]nformatiker|"
    r"[Pp]rogrammierer|[Ee]ntwickler|[Bb]erater|[Ff]orscher|[Ww]issenschaftler|[Bb]iologe|[Bb]iologin|[Pp]sychologe|"
    r"[Pp]sychologin|[Aa]rchitekt|[Ii]ngenieur|[Jj]ournalist|[Rr]edakteur|[Aa]utor|[Üü]bersetzer|[Dd]olmetscher|"
    r"[Mm]usiker|[Ss]änger|[Ss]chauspieler|[Ff]otograf|[Gg]rafiker|[Ee]rzieher|[Tt]herapeut|[Ss]ozialarbeiter|"
    r"[Aa]potheker|[Tt]rainer|[Ff]riseur|[Ss]chlosser|[Kk]lempner|[Dd]achdecker|[Mm]aurer|[Ll]andwirt|[Bb]auer|"
    r"[Ww]inzer|[Ii]mker|[Ff]örster|[Pp]olizist|[Ss]ekretär|[Bb]uchhalter|[Ss]achbearbeiter|[Aa]ngestellter?|"
    r"[Bb]eamter|[Pp]ilot|[Rr]ichter|[Nn]otar|[Ff]euerwehrmann|[Ss]tudent|[Ss]chüler|[Pp]raktikant|[Rr]entner|"
    r"[Pp]ensionär|[Ww]irt|[Kk]ellner|[Bb]ibliothekar|[Gg]eigenbauer|[Uu]hrmacher|[Gg]oldschmied|[Tt]öpfer|"
    r"[Hh]andwerker|[Mm]akler|[Kk]ürschner|[Hh]ausmeister|[Pp]farrer|[Dd]ozent)(?:in)?|(?:[A-ZÄÖÜ][a-zäöüß]+)?(?:[Aa]rzt|[Ää]rztin|"
    r"[Aa]nwalt|[Aa]nwältin|[Hh]ebamme|[Kk]öchin|[Aa]zubi|[Bb]eamtin|[Ll]ehrling|[Kk]auffrau|[Kk]aufmann))",
    "LANG": r"(?:Deutsch|Englisch|Französisch|Spanisch|Italienisch|Portugiesisch|Niederländisch|Polnisch|Russisch|"
    r"Ukrainisch|Türkisch|Arabisch|Persisch|Chinesisch|Japanisch|Koreanisch|Schwedisch|Norwegisch|Dänisch|"
    r"Finnisch|Griechisch|Tschechisch|Ungarisch|Rumänisch|Kroatisch|Latein|Plattdeutsch)",
    "GAME": r"(?:Klavier|Gitarre|Bass|Geige|Bratsche|Cello|Kontrabass|Flöte|Querflöte|Blockflöte|Klarinette|"
    r"Saxophon|Saxofon|Trompete|Posaune|Schlagzeug|Akkordeon|Harfe|Oboe|Fagott|Orgel|Ukulele|Mandoline|Horn|"
    r"Tuba|Tennis|Fußball|Handball|Volleyball|Basketball|Hockey|Golf|Badminton|Tischtennis|Schach|Skat|Bridge|"
    r"Poker|Doppelkopf)",
    "PET": r"(?:Hund|Hündin|Katze|Kater|Kätzchen|Welpe|Wellensittich|Papagei|Kaninchen|Hase|Hamster|"
    r"Meerschweinchen|Pferd|Pony|Schildkröte|Huhn|Hahn|Esel|Ziege|Dackel|Pudel|Terrier|Labrador|Schäferhund|"
    r"Kanarienvogel)",
    "PETS": r"(?:Hunde|Hündinnen|Katzen|Kater|Wellensittiche|Papageien|Kaninchen|Hasen|Hamster|Meerschweinchen|"
    r"Pferde|Ponys|Schildkröten|Hühner|Esel|Ziegen|Bienenvölker|Fische|Schafe)",
    "KIN": r"(?:Bruder|Schwester|Mutter|Vater|Mama|Papa|Oma|Opa|Großmutter|Großvater|Enkel|Enkelin|Enkelkind|"
    r"Nichte|Neffe|Tante|Onkel|Cousin|Cousine|Schwager|Schwägerin|Schwiegermutter|Schwiegervater|Patenkind)",
    "MY": r"(?:mein|meine|meinen|meinem|meiner|meines|unser|unsere|unseren|unserem|unserer)",
    "DIET": r"(?:Vegetarier(?:in)?|Veganer(?:in)?|vegetarisch|vegan|Diabetiker(?:in)?|laktoseintolerant|"
    r"glutenintolerant)",
    "FOOD": r"(?:Fleisch|Fisch|Schweinefleisch|Rindfleisch|Käse|Milch|Eier|Gluten|Weizen|Zucker|Nüsse|Alkohol|"
    r"Wein|Bier|Kaffee|Süßigkeiten|Schokolade|Milchprodukte)",
    "GOODS": r"(?:Haus|Häuschen|Wohnung|Garten|Schrebergarten|Kleingarten|Auto|Boot|Motorrad|Roller|Fahrrad|Klavier|"
    r"Wohnmobil|Wohnwagen|Werkstatt|Laden|Hof|Bauernhof|Volk|Bienenvolk|Bienenvölker|Ferienhaus)",
    "NUM": rf"(?:\d{{1,3}}|(?:(?:ein|zwei|drei|vier|fünf|sechs|sieben|acht|neun)und)?(?:{_TENS}))",
    "DATED": r"(?:Termin|Prüfung|Klausur|Examen|Vorstellungsgespräch|Bewerbungsgespräch|Konzert|Auftritt|Probe|Interview|"
    r"Hochzeit|Feier|Fest|Abschiedsfest|Geburtstagsfeier|Besichtigung|Flug|Urlaub|Vortrag|Turnier|Rennen|Kurs|Schicht)",
    "HOBBY": r"(?:lese|koche|backe|tanze|singe|male|zeichne|wandere|reise|stricke|nähe|schwimme|klettere|"
    r"fotografiere|gärtnere|jogge|laufe|reite|segle|rudere|turne|bastle)",
    "OFTEN": r"(?:jeden (?:zweiten |dritten )?\w+|jede woche|(?:ein|zwei|drei|vier)mal (?:die|in der|pro|im) (?:woche|monat)|"
    r"(?:montags|dienstags|mittwochs|donnerstags|freitags|samstags|sonntags)|alle (?:zwei|drei|vier) (?:wochen|monate|tage))",
}  # fmt: skip

_VERBS = {
    "fahre": "fährt", "fliege": "fliegt", "ziehe": "zieht", "beginne": "beginnt", "fange": "fängt",
    "starte": "startet", "gehe": "geht", "reise": "reist", "treffe": "trifft", "besuche": "besucht",
    "heirate": "heiratet", "feiere": "feiert", "eröffne": "eröffnet", "mache": "macht", "wechsle": "wechselt",
    "habe": "hat", "bin": "ist", "spiele": "spielt", "singe": "singt", "unterschreibe": "unterschreibt",
    "schreibe": "schreibt", "komme": "kommt", "trete": "tritt", "verreise": "verreist", "höre": "hört",
    "werde": "wird", "lese": "liest", "koche": "kocht", "backe": "backt", "tanze": "tanzt", "male": "malt",
    "zeichne": "zeichnet", "wandere": "wandert", "stricke": "strickt", "nähe": "näht", "schwimme": "schwimmt",
    "klettere": "klettert", "fotografiere": "fotografiert", "gärtnere": "gärtnert", "jogge": "joggt",
    "laufe": "läuft", "reite": "reitet", "segle": "segelt", "rudere": "rudert", "turne": "turnt",
    "bastle": "bastelt", "gebe": "gibt", "arbeite": "arbeitet", "trainiere": "trainiert", "nehme": "nimmt",
    "bekomme": "bekommt", "verkaufe": "verkauft", "verlasse": "verlässt", "bleibe": "bleibt",
    "gehe schwimmen": "geht schwimmen",
}  # fmt: skip
_PLANS = (
    "fahre|fliege|ziehe|beginne|fange|starte|gehe|reise|treffe|besuche|heirate|feiere|eröffne|wechsle|spiele|"
    "unterschreibe|trete|verreise|höre|werde|gebe|bekomme|verlasse|schreibe|komme"
)
_WE_PLANS = (
    "fahren|fliegen|ziehen|beginnen|fangen|starten|gehen|reisen|treffen|besuchen|heiraten|feiern|eröffnen|"
    "wechseln|spielen|unterschreiben|verreisen|geben|bekommen|machen|kommen"
)
_DONE = (
    "gekauft|verkauft|gemietet|gepachtet|adoptiert|geerbt|gewonnen|verloren|geheiratet|gekündigt|abgeschlossen|"
    "bestanden|unterschrieben|unterzeichnet|aufgegeben|bestellt|gebucht|eröffnet|gegründet|veröffentlicht|"
    "beworben|angemeldet|eingeschrieben|verlobt|getrennt|scheiden lassen|angefangen|begonnen|aufgehört|abgesagt|"
    "zugesagt|bekommen|gekriegt|abgebrochen|beantragt|eingestellt|gepflanzt|gebaut|hospitiert|verlängert"
)
_WENT = (
    "(?<!Auto )(?<!Zelt )umgezogen|eingezogen|ausgezogen|befördert worden|geboren|durchgefallen|gereist|geflogen|"
    "ausgewandert|zurückgekommen|eingetreten|ausgetreten|beigetreten|aufgestiegen|gewechselt|gezogen"
)
_RULES = [
    Rule("name", r"<C>(?:ich heiße|mein (?:voller )?name ist|hier (?:ist|schreibt)|ich bin (?:die|der)) (?P<v><NAME>)(?=[,;.!]|\s*$| (?:aus|und|von)\b)", "{who} heißt {v}", single=True),
    Rule("age", r"<B><L>(?:ich bin|bin ich) <AD>(?P<v><NUM>)(?: jahre(?: alt)?|(?=[,;.!]|\s*$| und\b| geworden\b))", "{who} ist {v} Jahre alt", single=True),
    Rule("age", r"<B><L>(?:ich werde|werde ich) <AD>(?P<v><NUM>)(?= jahre alt| und\b|[,;.!]|\s*$)", "{who} wird {v}", kind=Kind.EVENT, ahead=True, dated=True),
    Rule("birthday", r"\b(?:mein geburtstag ist|ich habe) (?:am|immer am) (?P<v>\d{1,2}\. ?(?:\d{1,2}\.|[A-Z]\w+))(?: geburtstag)?<E>", "{who} hat am {v} Geburtstag", single=True),
    Rule("lives_in", r"<C>(?:ich wohne|ich lebe|(?P<we>wir) (?:wohnen|leben)) (?:nicht mehr|nicht länger) in (?P<v><NAME>)", "{who} [wohnt|wohnen] nicht mehr in {v}", hold=Hold.OVER, single=True),
    Rule("lives_in", r"<B><L>(?:ich habe|habe ich|(?P<we>wir) haben|haben (?P<we>wir)) (?:[\w\-]+ ){0,4}?in (?P<v><NAME>) (?:gelebt|gewohnt)", "{who} [hat|haben] früher in {v} gewohnt", hold=Hold.OVER, single=True),
    Rule("lives_in", r"<B><L>(?:ich (?:wohne|lebe)|(?:wohne|lebe) ich|(?P<we>wir) (?:wohnen|leben)|(?:wohnen|leben) (?P<we>wir)) <AD>(?P<p>in|bei|auf|am) (?P<v><NAME>)", "{who} [wohnt|wohnen] {p} {v}", single=True),
    Rule("lives_in", r"<B><L>(?:ich bin|bin ich|(?P<we>wir) sind|sind (?P<we>wir)) (?:[\w.\-]+ ){0,4}?nach (?P<v><NAME>) (?:gezogen|umgezogen)", "{who} [ist|sind] nach {v} gezogen und [wohnt|wohnen] dort", single=True, confidence=0.85),
    Rule("origin", r"<C>(?:ich (?:komme|stamme) (?:ursprünglich )?aus|ich bin in) (?P<v><NAME>)(?: (?:geboren|aufgewachsen))?<E>", "{who} kommt aus {v}", single=True),
    Rule("works_as", r"<C>ich (?:war|bin früher|habe früher als) (?:[\w\-]+ ){0,4}?(?P<v><OCC>)\b", "{who} war {v}", hold=Hold.OVER, single=True),
    Rule("works_as", r"<C>ich bin (?:keine?|nicht mehr) (?P<v><OCC>)\b", "{who} ist nicht mehr {v}", hold=Hold.OVER, single=True),
    Rule("works_as", r"<B><L>(?:ich bin|bin ich) <AD>(?:eine? )?(?P<v><OCC>)(?=[,;.!:]|\s*$| (?:und|in|am|an|bei|im|von)\b)", "{who} arbeitet als {v}", single=True),
    Rule("works_as", r"<B><L>(?:ich arbeite|arbeite ich) (?:[\w\-]+ ){0,4}?als (?P<v><ONE>)<E>", "{who} arbeitet als {v}", single=True),
    Rule("works_at", r"<C>ich arbeite nicht mehr (?P<p>bei|beim|bei der|am|im|in der|in) (?P<v><NAME>)", "{who} arbeitet nicht mehr {p} {v}", hold=Hold.OVER, single=True),
    Rule("works_at", r"<B><L>(?:ich arbeite|arbeite ich) <AD>(?P<p>bei|beim|bei der|am|an der|im|in der|in einem|in einer|auf der|in) (?P<v><NAME>)", "{who} arbeitet {p} {v}", single=True),
    Rule("works_at", r"<B><L>(?:ich bin|bin ich) (?:[\w\-]+ ){0,3}?(?P<p>am|in der|im|auf der) (?P<v>(?-i:[A-Z]\w*(?:klinik|klinikum|station|schule|geriatrie|gymnasium|institut|amt|universität|bibliothek|Klinikum|Universität|Klinik|Geriatrie|Schule|Gymnasium)\b|Klinikum|Geriatrie|Universität))<E>", "{who} ist {p} {v}", single=True, confidence=0.8),
    Rule("studies", r"<B><L>(?:ich mache|mache ich) (?:[\w\-]+ ){0,3}?Ausbildung (?:zur|zum|als) (?P<v><ONE>)", "{who} macht eine Ausbildung zu: {v}", single=True),
    Rule("studies", r"<B><L>(?:ich studiere|studiere ich) <AD>(?P<v><ONE>)(?: (?:und|auf) <ONE>)?<E>", "{who} studiert {v}", single=True),
    Rule("child", r"\b<MY> (?:(?:älteste[rn]?|jüngste[rn]?|kleine[rn]?|große[rn]?) )?(?:Sohn|Tochter|Junge|Mädchen)(?: heißt|,)? (?P<v><ONE>)(?! ist (?:ein|eine) )", "{who} hat ein Kind namens {v}"),
    Rule("child", r"<C>(?:ich habe|(?P<we>wir) haben) keine (?P<v>Kinder)\b", "{who} [hat|haben] keine Kinder", hold=Hold.NOT),
    Rule("partner", r"\b(?:mein|meine|meinem|meiner|meinen) (?P<p>Mann|Frau|Partner|Partnerin|Verlobte|Verlobter)(?: heißt|,)? (?P<v>(?-i:[A-ZÄÖÜ][a-zäöüß\-]+))(?=[,;.!]|\s*$| (?-i:[a-zäöü]))", "{whose} {p} heißt {v}", single=True),
    Rule("relative", r"\b<MY> (?:(?:ältere[rn]?|ältester?|jüngere[rn]?|kleine[rn]?|große[rn]?|alte[rn]?) )?(?P<p><KIN>)(?: heißt)? (?P<v>(?-i:[A-ZÄÖÜ][a-zäöüß\-]+))(?=[,;.!]|\s*$| (?-i:[a-zäöü]))", "{whose} {p} heißt {v}"),
    Rule("relative", r"<C>(?:ich habe|(?P<we>wir) haben) (?P<v>(?:zwei|drei|vier|fünf|sechs|eine|einen) (?:(?-i:[a-zäöüß]+) )?(?:Enkel|Enkelkinder|Geschwister|Brüder|Schwestern|Bruder|Schwester|Kinder|Söhne|Töchter|Sohn|Tochter))\b", "{who} [hat|haben] {v}"),
    Rule("pet", r"\b<MY> (?:(?-i:[a-zäöüß]+) )?(?P<p><PET>)(?: heißt|,)? (?P<v>(?-i:[A-ZÄÖÜ][a-zäöüß\-]+))(?=[,;.!]|\s*$| (?-i:[a-zäöü]))", "{who} hat ein Tier namens {v} ({p})"),
    Rule("pet", r"<C>(?:ich habe|(?P<we>wir) haben) <AD>(?P<v>(?:eine[nm]?|zwei|drei|vier|fünf) (?:(?-i:[a-zäöüß]+) )?(?:<PET>|<PETS>))(?: namens (?P<p><ONE>))?(?=[,;.!]|\s*$| (?:und|namens|die|der|das)\b)", "{who} [hat|haben] {v} {p}", confidence=0.85),
    Rule("pet", r"\b<MY> (?P<v><PET>)(?= (?:ist|hat|war|mag|liebt|schläft|frisst)\b(?! (?:gestorben|tot)))", "{who} hat ein Tier: {v}", confidence=0.85),
    Rule("owns", r"<C>(?:ich habe|(?P<we>wir) haben) (?P<v>(?:eine[nm]?|ein|zwei|drei) (?:(?-i:[a-zäöüß]+) )?<GOODS>)(?=[,;.!]|\s*$| (?:und|in|am|im|mit)\b)", "{who} [hat|haben] {v}", confidence=0.85),
    Rule("allergic", r"<C>ich bin (?:nicht|nicht mehr) (?:gegen (?P<v><NOUN>) allergisch|allergisch (?:gegen|auf) (?P<v><NOUN>))", "{who} ist nicht allergisch gegen {v}", hold=Hold.NOT),
    Rule("allergic", r"<C>(?:ich bin|bin ich) <AD>(?:allergisch (?:gegen|auf) (?P<v><NOUN>)|gegen (?P<v><NOUN>) allergisch)", "{who} ist allergisch gegen {v}", confidence=0.95),
    Rule("allergic", r"<C>ich habe <AD>(?:eine )?(?P<v>(?-i:[A-ZÄÖÜ][a-zäöüß]+))allergie\b", "{who} hat eine Allergie: {v}", confidence=0.95),
    Rule("speaks", r"<C>ich (?:spreche|kann|lerne) <AD>(?:fließend |etwas |ein bisschen |gut |ein wenig )?(?P<v><LANG>)\b", "{who} spricht oder lernt {v}"),
    Rule("diet", r"<C>ich (?:bin kein|bin keine|bin nicht mehr|esse nicht mehr|lebe nicht mehr) (?P<v><DIET>)", "{who} ist nicht mehr {v}", kind=Kind.PREFERENCE, hold=Hold.OVER),
    Rule("diet", r"<B><L>(?:ich (?:bin|lebe|esse)|(?:bin|lebe|esse) ich) <AD>(?:rein |streng )?(?P<v><DIET>)\b", "{who} ist {v}", kind=Kind.PREFERENCE),
    Rule("eats", r"<B><L>(?:ich (?:esse|trinke|vertrage)|(?:esse|trinke|vertrage) ich) <AD>keine?n? (?P<v><FOOD>)\b", "{who} nimmt nichts zu sich mit: {v}", kind=Kind.PREFERENCE, hold=Hold.NOT),
    Rule("eats", r"<C>ich (?:esse|trinke) <AD>(?:seit \d{4} )?keine?n? (?P<v><ONE>) mehr\b", "{who} nimmt nichts mehr zu sich: {v}", kind=Kind.PREFERENCE, hold=Hold.NOT),
    Rule("eats", r"<C>ich (?:esse|trinke) (?:jetzt|nur noch|jetzt nur noch|inzwischen) (?P<v><ONE>)<E>", "{who} nimmt jetzt zu sich: {v}", kind=Kind.PREFERENCE),
    Rule("likes", r"<B><L>(?:ich (?:mag|liebe)|(?:mag|liebe) ich) <AD>(?:keine?n? (?P<v><NOUN>)|(?P<v><NOUN>) (?:überhaupt )?nicht(?: mehr)?\b)<E>", "{who} mag {v} nicht", kind=Kind.PREFERENCE, hold=Hold.NOT),
    Rule("likes", r"<C>ich (?:hasse|verabscheue) <AD>(?P<v><NOUN>)<E>|<C>ich kann <AD>(?P<v><NOUN>) (?:nicht ausstehen|nicht leiden|nicht mehr sehen)\b", "{who} mag {v} nicht", kind=Kind.PREFERENCE, hold=Hold.NOT),
    Rule("likes", r"<C>ich (?:mochte|liebte) früher <AD>(?P<v><NOUN>)<E>", "{who} mochte früher {v}", kind=Kind.PREFERENCE, hold=Hold.OVER),
    Rule("likes", r"<B><L>(?:ich (?:mag|liebe)|(?:mag|liebe) ich) <AD>(?P<v>(?!(?-i:[A-ZÄÖÜ]\w+)(?: nicht|s\b))<NOUN>)(?=[,;.!:]|\s*$| (?:und|sehr|besonders|über alles|am liebsten|so sehr)\b)", "{who} mag {v}", kind=Kind.PREFERENCE),
    Rule("likes", r"<C>ich (?:esse|trinke|höre) <AD>(?:gerne?|am liebsten) (?P<v><NOUN>)<E>", "{who} mag {v}", kind=Kind.PREFERENCE),
    Rule("likes", r"<C>ich (?P<verb><HOBBY>) <AD>(?P<v>gerne?|leidenschaftlich gerne?)(?=[,;.!]|\s*$)", "{who} {verb} gern", kind=Kind.PREFERENCE),
    Rule("favourite", r"\bmeine? (?P<p>lieblings\w+) (?:ist|sind|war schon immer) (?P<v>(?:der |die |das )?<NOUN>)<E>", "{whose} {p}: {v}", kind=Kind.PREFERENCE),
    Rule("does", r"<C>ich spiele (?:nicht mehr|kein) (?P<v><GAME>)\b|<C>ich spiele (?P<v><GAME>) nicht mehr|<C>ich habe (?:früher |lange |jahrelang )(?P<v><GAME>) gespielt", "{who} spielt nicht mehr {v}", hold=Hold.OVER),
    Rule("does", r"<C>ich habe (?:mit dem |das )(?P<v>Rauchen|Trinken|Laufen|Joggen|Klettern|Tanzen|Malen|Stricken|Schwimmen|Reiten) (?:aufgehört|aufgegeben)", "{who} hat {v} aufgegeben", hold=Hold.OVER),
    Rule("does", r"<B><L>(?:ich (?:spiele|lerne)|(?:spiele|lerne) ich) <AD>(?P<v><GAME>)\b", "{who} spielt {v}"),
    Rule("does", r"<C>ich (?P<verb>laufe|schwimme|singe|tanze|klettere|jogge|gehe schwimmen|fahre|lese|trainiere) (?P<v>(?:[\w\-]+ ){0,3}?<OFTEN>(?: [\w\-]+){0,6}?)<EC>", "{who} {verb} {v}"),
    Rule("plan", rf"<B><FILL>(?:ich (?P<verb>{_PLANS})|(?P<we>wir) (?P<verb>{_WE_PLANS})) (?P<v><REST>)<EC>", "{who} {verb} {v}", kind=Kind.EVENT, ahead=True, dated=True),
    Rule("plan", r"<B><L>(?:ich habe|habe ich|(?P<we>wir) haben|haben (?P<we>wir)) (?P<v>(?:<REST> )?(?:<DATED>)(?: <REST>)?)(?! (?:gehabt|gemacht))<EC>", "{who} [hat|haben] {v}", kind=Kind.EVENT, ahead=True, dated=True),
    Rule("plan", r"<B>(?:am|ab|im|in|nächste[ns]?|übermorgen|zu)(?: [\w.\-]+){1,3}? (?P<verb>(?-i:[a-zäöüß]{3,}en)) (?P<we>wir)(?: (?P<v><REST>))?<EC>", "{who} {verb} {v}", kind=Kind.EVENT, ahead=True, dated=True, confidence=0.8),
    Rule("plan", rf"<B>(?:[\w.\-]+ ){{1,6}}?(?:(?P<verb>{_PLANS}) ich|(?P<verb>{_WE_PLANS}) (?P<we>wir))(?: (?P<v><REST>))?<EC>", "{who} {verb} {v}", kind=Kind.EVENT, ahead=True, dated=True),
    Rule("event", rf"<B><L>(?:ich habe|habe ich|(?P<we>wir) haben|haben (?P<we>wir)) (?P<p>mir |mich |uns )?(?P<v><REST>) (?P<verb>{_DONE})(?=[,;:()–—.!…]|\s*$| (?:und|aber)\b)", "{who} [hat|haben] {p} {v} {verb}", kind=Kind.EVENT),
    Rule("event", r"<B><L>(?:ich (?P<verb>war)|(?P<verb>war) ich|(?P<we>wir) (?P<verb>waren)|(?P<verb>waren) (?P<we>wir)) (?P<v>(?:[\w.\-]+ ){0,4}?(?:in|auf|an der|am) <NAME>(?: <REST>)?)<EC>", "{who} {verb} {v}", kind=Kind.EVENT, dated=True),
    Rule("event", r"<C>ich bin (?P<v>(?:[\w\-]+ ){0,3}?durch (?:die |den |meine |eine )(?-i:[A-Z]\w+)) gefallen", "{who} ist {v} gefallen", kind=Kind.EVENT),
    Rule("does", r"<C>ich mache seit \w+ Jahren (?P<v><ONE>)<E>", "{who} macht {v}"),
    Rule("event", rf"<C>(?:ich habe|habe ich|(?P<we>wir) haben|haben (?P<we>wir)) (?:mir |mich |uns )?<AD>(?P<verb>gekündigt|geheiratet|bestanden|abgesagt|zugesagt)(?P<v>)(?=[,;:()–—.!…]|\s*$| (?:und|aber)\b)", "{who} [hat|haben] {verb}", kind=Kind.EVENT),
    Rule("event", rf"<B><L>(?:ich bin|bin ich|(?P<we>wir) sind|sind (?P<we>wir)) (?P<v><REST>) (?P<verb>{_WENT})(?=[,;:()–—.!…]|\s*$| (?:und|aber)\b)", "{who} [ist|sind] {v} {verb}", kind=Kind.EVENT),
]
LANGUAGE = Language(
    telling=frozenset(
        "ich und der die das ist nicht mein meine mir mich wir uns ein eine einen mit auf für bin habe hat haben "
        "war sind auch noch schon aber dann wie dem den zu zum zur im am bei von seit wohne mag heiße gern sie er es".split()
    ),
    guard=r"\b(?:würde\w*|wäre\w*|hätte\w*|könnte\w*|möchte\w*|sollte\w*|müsste\w*|wenn|falls|ob|vielleicht|"
    r"wahrscheinlich|vermutlich|angeblich|hoffentlich|ich glaube|ich denke|ich hoffe|als ob|stell dir|"
    r"träum\w*|geträumt|bis ich|früher oder später|eventuell|sozusagen|soll|sollen)\b|"
    r"\b(?:er|sie|es|man|mama|papa|wer|der|die|[A-Z]\w+) (?:sagt|sagte|meint|meinte|denkt|glaubt|behauptet|schreibt|fragt|fragte|hat gesagt|hat gefragt)\b",
    others="{name} und andere",
    macros=_MACROS,
    rules=_RULES,
    dates=_DATES,
    turned={
        "mein": "{whose}", "meine": "{whose}", "meinen": "{whose}", "meinem": "{whose}", "meiner": "{whose}",
        "unser": "{whose}", "unsere": "{whose}", "unseren": "{whose}", "unserem": "{whose}", "unserer": "{whose}",
        "mich": "sich", "mir": "sich", "uns": "sich",
    },
    personal="bin|habe|hab|fast|beinahe|etwas|jemanden|ihn|ich|wir|du|dich|dir|dein|deine|deinen|deinem|deiner|ihr|euch|euer|eure|euren|Sie|Ihnen|Ihre|Ihren",
    denial=r"nicht|nie|niemals|kein\w*|niemand\w*|nichts|kaum",
    denied=r"(?:\w+ )?(?:nicht|nie|niemals|kaum)",
    idle=r"(?:es|das|dies|diese[rsnm]?|ihn|sie|alles|nichts|etwas|was|dich|euch)\b.*",
    articles=r"^(?:der|die|das|den|dem|ein|eine|einen|einem|einer|mein|meine|meinen|unser|unsere|unseren) ",
    verbs=_VERBS,
)  # fmt: skip
