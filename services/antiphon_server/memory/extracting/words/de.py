"""Of German."""

from antiphon_server.memory.extracting.dates import DateWords

DATES = DateWords(
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

TENS = "zwanzig|dreißig|vierzig|fünfzig|sechzig|siebzig|achtzig|neunzig"
MACROS = {
    "B": r"(?:^\W*|(?<=[,;:–—(] )|(?<=\bund )|(?<=\baber )|(?<=\bdenn ))",
    # Words of time and place that may come before the verb.
    "L": r"(?!(?:den|das|es|ihn|sie|dem|da|dort|so|dann|wie|was|wo|wer|die|der) (?:ich|habe|hab|bin|haben|sind|wir)\b)(?:(?:[\w.\-]+ ){0,6}?)",
    "FILL": r"(?:(?:also|ja|nein|ach|oh|na|so|und|aber|jetzt|übrigens|hallo|hi|nun|eigentlich|ehrlich gesagt|"
    r"heute|gestern|außerdem|stell dir vor|weißt du)[,!.]* )*",
    "C": r"<B><FILL>",
    "AD": r"(?:(?:jetzt|nun|schon|auch|noch|immer noch|immer|ja|doch|eigentlich|wirklich|sehr|so|total|besonders|"
    r"einfach|übrigens|seit \w+(?: (?:Jahr|Monat|Woche|Tag|Anfang|Ende)\w*)?|erst|endlich|am liebsten|leidenschaftlich|nur|zurzeit|momentan|"
    r"inzwischen|mittlerweile|wieder|gerade|richtig|ziemlich|absolut|ganz|mir|uns|selbst|selber|vor allem) )*+",
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
    "NUM": rf"(?:\d{{1,3}}|(?:(?:ein|zwei|drei|vier|fünf|sechs|sieben|acht|neun)und)?(?:{TENS}))",
    "DATED": r"(?:Termin|Prüfung|Klausur|Examen|Vorstellungsgespräch|Bewerbungsgespräch|Konzert|Auftritt|Probe|Interview|"
    r"Hochzeit|Feier|Fest|Abschiedsfest|Geburtstagsfeier|Besichtigung|Flug|Urlaub|Vortrag|Turnier|Rennen|Kurs|Schicht)",
    "HOBBY": r"(?:lese|koche|backe|tanze|singe|male|zeichne|wandere|reise|stricke|nähe|schwimme|klettere|"
    r"fotografiere|gärtnere|jogge|laufe|reite|segle|rudere|turne|bastle)",
    "OFTEN": r"(?:jeden (?:zweiten |dritten )?\w+|jede woche|(?:ein|zwei|drei|vier)mal (?:die|in der|pro|im) (?:woche|monat)|"
    r"(?:montags|dienstags|mittwochs|donnerstags|freitags|samstags|sonntags)|alle (?:zwei|drei|vier) (?:wochen|monate|tage))",
}  # fmt: skip

VERBS = {
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
PLANS = (
    "fahre|fliege|ziehe|beginne|fange|starte|gehe|reise|treffe|besuche|heirate|feiere|eröffne|wechsle|spiele|"
    "unterschreibe|trete|verreise|höre|werde|gebe|bekomme|verlasse|schreibe|komme"
)
WE_PLANS = (
    "fahren|fliegen|ziehen|beginnen|fangen|starten|gehen|reisen|treffen|besuchen|heiraten|feiern|eröffnen|"
    "wechseln|spielen|unterschreiben|verreisen|geben|bekommen|machen|kommen"
)
DONE = (
    "gekauft|verkauft|gemietet|gepachtet|adoptiert|geerbt|gewonnen|verloren|geheiratet|gekündigt|abgeschlossen|"
    "bestanden|unterschrieben|unterzeichnet|aufgegeben|bestellt|gebucht|eröffnet|gegründet|veröffentlicht|"
    "beworben|angemeldet|eingeschrieben|verlobt|getrennt|scheiden lassen|angefangen|begonnen|aufgehört|abgesagt|"
    "zugesagt|bekommen|gekriegt|abgebrochen|beantragt|eingestellt|gepflanzt|gebaut|hospitiert|verlängert"
)
WENT = (
    "(?<!Auto )(?<!Zelt )umgezogen|eingezogen|ausgezogen|befördert worden|geboren|durchgefallen|gereist|geflogen|"
    "ausgewandert|zurückgekommen|eingetreten|ausgetreten|beigetreten|aufgestiegen|gewechselt|gezogen"
)
