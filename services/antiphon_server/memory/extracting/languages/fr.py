"""French."""

from antiphon_server.memory.extracting.dates import DateWords
from antiphon_server.memory.extracting.grammar import Language, Rule
from antiphon_server.memory.extracting.model import Hold, Kind

_DATES = DateWords(
    numbers={
        "un": 1, "une": 1, "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "six": 6, "sept": 7, "huit": 8,
        "neuf": 9, "dix": 10, "onze": 11, "douze": 12, "quinze": 15, "vingt": 20, "trente": 30,
    },
    units={
        "jour": "day", "jours": "day", "semaine": "week", "semaines": "week", "mois": "month", "an": "year",
        "ans": "year", "année": "year", "années": "year",
    },
    weekdays={
        "lundi": 0, "mardi": 1, "mercredi": 2, "jeudi": 3, "vendredi": 4, "samedi": 5, "dimanche": 6,
    },
    months={
        "janvier": 1, "février": 2, "mars": 3, "avril": 4, "mai": 5, "juin": 6, "juillet": 7, "août": 8,
        "septembre": 9, "octobre": 10, "novembre": 11, "décembre": 12,
    },
    seasons={"printemps": 3, "été": 6, "automne": 9, "hiver": 12},
    patterns=[
        ("(?:le )?(?:<W> )?<D>(?:er)? <M>(?: <Y>)?", "date"),
        ("depuis <Y>", "since year"),
        ("depuis <M>(?: <Y>)?", "since month"),
        ("depuis <N> <U>", "since moved:-1"),
        ("avant-hier", "day:-2"),
        ("après-demain", "day:2"),
        ("hier(?: (?:soir|matin))?", "day:-1"),
        ("demain", "day:1"),
        ("aujourd'hui|ce (?:matin|soir)|cet après-midi", "day:0"),
        ("il y a <N> <U>", "moved:-1"),
        ("dans <N> <U>", "moved:1"),
        ("le week-end dernier", "weekend:-1"),
        ("le week-end prochain", "weekend:1"),
        ("ce week-end", "weekend:0"),
        ("(?:la |le |l')?<U> derni(?:er|ère)", "unit:-1"),
        ("(?:la |le |l')?<U> prochaine?", "unit:1"),
        ("(?:le )?<W> dernier", "weekday:last"),
        ("(?:le )?<W> prochain", "weekday:next"),
        ("depuis <W>", "since weekday:last"),
        ("(?<!le )(?<!tous les )<W>(?: (?:matin|soir|après-midi|midi))?", "weekday"),
        ("(?:cet |au |en |à l'|ce )<S>", "season"),
        ("l'<S> (?:prochain|dernier)", "season"),
        ("(?:en|fin|début|mi|dès|depuis|jusqu'en|à partir de|pour) <M>(?: <Y>)?", "month"),
        ("en <Y>", "year"),
        ("le <D>(?:er)?(?! (?:h|heures|euros|ans|fois|mètres))", "of_month"),
        ("(?:à|pour) noël", "christmas"),
        ("(?:à|pour|après) pâques", "easter"),
    ],
)  # fmt: skip

_MACROS = {
    "C": r"(?:^\W*|(?<=[,;:–—(] )|(?<=\bet )|(?<=\bmais )|(?<=\bcar )|(?<=\bque ))"
    r"(?:(?:moi|nous|alors|bon|bah|oui|non|ah|oh|et|mais|donc|maintenant|bonjour|salut|coucou|au fait|d'ailleurs|"
    r"en fait|ça y est|tiens|aujourd'hui|hier(?: soir)?|ce matin|ce soir|demain|finalement|enfin|de mon côté|"
    r"personnellement|franchement|depuis [\w']+(?: [\w']+)?|en \w+(?: \d{4})?|le \w+ dernier|lundi|mardi|mercredi|jeudi|vendredi|"
    r"samedi|dimanche|la semaine dernière|le mois dernier|l'an dernier|le \d+ \w+|dimanche dernier)[,!.]* )*",
    "AD": r"(?:(?:vraiment|aussi|toujours|encore|déjà|enfin|bien|juste|maintenant|beaucoup|énormément|bientôt|"
    r"surtout|simplement|finalement|quand même|trop|tellement|très|absolument) )*",
    "J": r"(?:j'|je )",
    "JAI": r"(?:j'ai|(?P<we>on) a|(?P<we>nous) avons)",
    "JSUIS": r"(?:je suis|(?P<we>on) est|(?P<we>nous) sommes)",
    "E": r"(?=\s*[,;:()–—!…]|\s*\.?\s*$| (?:et|mais|parce|car|depuis|quand|où|qui|que|plus|avec|chez|à|au|dans|pour)\b)",
    "EC": r"(?=\s*[;:()–—!…]|,|\s*\.?\s*$| (?:(?:et|mais) (?:je|j'|il|elle|on|nous|ils|moi|la|le|les|mon|ma)|"
    r"parce|car|quand|qui|que)\b)",
    "OCC": r"(?:infirmi(?:er|ère)|médecin|chirurgien(?:ne)?|dentiste|vétérinaire|biologiste|chimiste|physicien(?:ne)?|"
    r"chercheu(?:r|se)|ingénieure?|développeu(?:r|se)|programmeu(?:r|se)|informaticien(?:ne)?|graphiste|architecte|"
    r"menuisi(?:er|ère)|charpenti(?:er|ère)|électricien(?:ne)?|plombi(?:er|ère)|mécanicien(?:ne)?|boulang(?:er|ère)|"
    r"pâtissi(?:er|ère)|cuisini(?:er|ère)|serveu(?:r|se)|jardini(?:er|ère)|agricult(?:eur|rice)|vigneron(?:ne)?|"
    r"pêcheu(?:r|se)|bouch(?:er|ère)|couturi(?:er|ère)|coiffeu(?:r|se)|chauffeu(?:r|se)|pilote|marin|policier|"
    r"policière|pompi(?:er|ère)|sage-femme|aide-soignante?|secrétaire|comptable|avocate?|juge|notaire|journaliste|"
    r"rédact(?:eur|rice)|écrivaine?|aut(?:eur|rice)|traduct(?:eur|rice)|interprète|bibliothécaire|libraire|"
    r"vendeu(?:r|se)|commerçante?|consultante?|professeure?|prof(?: de [a-zéèê]+)?|institut(?:eur|rice)|"
    r"maître(?:sse)? d'école|étudiante?(?: en [a-zéèê]+)?|apprentie?|stagiaire|musicien(?:ne)?|violoniste|violoncelliste|pianiste|"
    r"bassiste|chant(?:eur|euse)|comédien(?:ne)?|danseu(?:r|se)|peintre|sculpt(?:eur|rice)|potière?|photographe|"
    r"kiné(?:sithérapeute)?|psychologue|psychiatre|orthophoniste|pharmacien(?:ne)?|opticien(?:ne)?|éducat(?:eur|rice)|"
    r"assistante? sociale?|fact(?:eur|rice)|maçon(?:ne)?|horlog(?:er|ère)|fleuriste|apicult(?:eur|rice)|"
    r"brasseu(?:r|se)|géologue|historien(?:ne)?|retraitée?|fonctionnaire|animat(?:eur|rice))",
    "LANG": r"(?:(?:le |l'|du |de l')?(?:français|anglais|allemand|espagnol|italien|portugais|néerlandais|polonais|russe|"
    r"ukrainien|turc|arabe|persan|chinois|mandarin|japonais|coréen|suédois|norvégien|danois|finnois|grec|tchèque|"
    r"hongrois|roumain|breton|basque|catalan|occitan|kabyle|latin))",
    "GAME": r"(?:du piano|de la guitare|de la basse|du violon|de l'alto|du violoncelle|de la contrebasse|de la flûte|"
    r"de la clarinette|du saxo(?:phone)?|de la trompette|du trombone|de la batterie|de l'accordéon|de la harpe|"
    r"du hautbois|de l'orgue|de la mandoline|du ukulélé|au tennis|au foot(?:ball)?|au basket|au volley|au handball|"
    r"au rugby|au golf|au badminton|aux échecs|au poker|au bridge|au tarot|à la pétanque|au ping-pong)",
    "SPORT": r"(?:du vélo|de la course à pied|de la natation|du yoga|de la danse|de l'escalade|de la randonnée|"
    r"de la poterie|du théâtre|du judo|de la peinture|de la voile|du ski|du cheval|de l'équitation|du chant|du jardinage)",
    "PET": r"(?:chat|chatte|chaton|chien|chienne|chiot|perruche|perroquet|lapin|lapine|hamster|cochon d'inde|cheval|"
    r"poney|tortue|poisson rouge|poule|coq|furet|rat|âne|chèvre|canari|setter|labrador|épagneul)",
    "KIN": r"(?:frère|sœur|soeur|mère|père|maman|papa|mamie|papi|grand-mère|grand-père|petit-fils|petite-fille|nièce|"
    r"neveu|tante|oncle|cousin|cousine|beau-frère|belle-sœur|belle-mère|beau-père|filleule?|parrain|marraine)",
    "DIET": r"(?:végétarien(?:ne)?|végane|vegan|végétalien(?:ne)?|intolérante? au (?:gluten|lactose)|diabétique|cœliaque)",
    "FOOD": r"(?:viande(?: rouge)?|poisson|porc|bœuf|fruits de mer|lait|fromage|œufs|gluten|blé|pain|sucre|noix|"
    r"alcool|vin|bière|café|chocolat|produits laitiers)",
    "GOODS": r"(?:maison|appartement|jardin|potager|voiture|bateau|moto|vélo|piano|caravane|camping-car|atelier|boutique|"
    r"chalet|verger|ferme|domaine|vigne)",
    "NUM": r"(?:\d{1,3}|(?:vingt|trente|quarante|cinquante|soixante|quatre-vingts?)(?:(?:-| et )(?:une?|deux|trois|"
    r"quatre|cinq|six|sept|huit|neuf|dix|onze|douze|treize|quatorze|quinze|seize|dix-sept|dix-huit|dix-neuf))?)",
    # Values that begin with what is known to both alone are left out.
    "THING": r"(?!(?:ce|cet|cette|ces|ça|ton|ta|tes|votre|vos|son|sa|ses|leur|leurs|te|vous|le faire|la voir|être)\b)"
    r"(?:le |la |les |l'|du |de la |de l'|des )?(?!(?-i:[A-ZÀ-Þ]))\w[\w'\-]*(?: [\w'\-]+){0,3}?",
    "OFTEN": r"(?:tous les [\w\-]+(?: soirs| matins)?|toutes les [\w\-]+|le (?:soir|matin|week-end)(?= *[,.;!]|\s*$)|chaque \w+|le (?:lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche)"
    r"(?: (?:soir|matin|et le \w+))?(?= *[,.;!]|\s*$)|(?:une|deux|trois|quatre) fois par (?:semaine|mois|an))",
}  # fmt: skip

_VERBS = {
    "vais": "va", "étais": "était", "je vais": "va", "je pars": "part", "je prends": "prend", "je commence": "commence", "je déménage": "déménage",
    "j'arrive": "arrive", "je joue": "joue", "je visite": "visite", "je signe": "signe", "j'ouvre": "ouvre",
    "je me marie": "se marie", "j'emménage": "emménage", "je reprends": "reprend", "je rentre": "rentre",
    "je passe": "passe", "je fête": "fête", "je finis": "finit", "je quitte": "quitte", "je reviens": "revient",
    "je serai": "sera", "je ferai": "fera", "j'irai": "ira", "je remplace": "remplace",
    "je retourne": "retourne", "je viens": "vient", "je participe": "participe", "je voyage": "voyage",
    "je vole": "vole", "je donne": "donne", "je rejoins": "rejoint", "j'expose": "expose", "je reçois": "reçoit",
    "je chante": "chante", "je cours": "court", "je nage": "nage", "je danse": "danse", "je peins": "peint",
    "je lis": "lit", "je cuisine": "cuisine", "je taille": "taille", "je m'entraîne": "s'entraîne", "j'enseigne":
    "enseigne", "je marche": "marche", "je jardine": "jardine", "je tricote": "tricote", "je partirai": "partira",
    "j'aurai": "aura", "je commencerai": "commencera", "je vais chercher": "va chercher", "je m'installe": "s'installe",
    "on va": "va", "on part": "part", "on prend": "prend", "on commence": "commence", "on déménage": "déménage",
    "on arrive": "arrive", "on joue": "joue", "on visite": "visite", "on signe": "signe", "on ouvre": "ouvre",
    "on se marie": "se marie", "on emménage": "emménage", "on rentre": "rentre", "on fête": "fête",
    "on est": "est", "on met": "met", "on sera": "sera", "on passe": "passe", "on la fête": "la fête",
    "on quitte": "quitte", "on reçoit": "reçoit", "on vendange": "vendange", "on s'installe": "s'installe",
}  # fmt: skip
_JE = "|".join(it for it in sorted(_VERBS, key=len, reverse=True) if it.startswith(("je ", "j'")))
_ON = "|".join(it for it in sorted(_VERBS, key=len, reverse=True) if it.startswith("on "))
_DONE = (
    "acheté|racheté|vendu|loué|adopté|hérité|gagné|perdu|épousé|démissionné|obtenu|décroché|(?:réussi|raté|passé|eu) (?=(?:mon |l'|le |un )(?:examen|permis|concours|bac|diplôme|entretien))|signé|"
    "abandonné|arrêté|commencé|recommencé|repris|quitté|commandé|réservé|ouvert|fondé|publié|postulé|embauché|"
    "planté|visité|déménagé|(?:fini|terminé|lancé|reçu|monté) (?=le |la |les |l'|une? |mon |ma |mes |notre |nos |des |deux |trois )|construit|trouvé (?=(?:un |une )(?:appart\w*|logement|maison|travail|emploi|poste|boulot|job|studio|local|stage))|retrouvé|chanté (?=devant |à |au |dans )|suivi (?=une? (?:stage|formation|cours))|fait (?=(?:mon premier|ma première)\b)|joué (?=le \\d|au |aux |à |devant |dans |hier)|envoyé|annulé|refusé|accepté|fêté|"
    "créé|enregistré|renoncé"
)
_WENT = (
    "partie?s?|rentrée?s?|revenue?s?|allée?s?|arrivée?s?|née?|devenue?|tombée? enceinte|retournée?s?|montée?s?|"
    "descendue?s?|entrée?s?|sortie?s? de"
)
_SELF = "inscrite?s?|mariée?s?|fiancée?s?|pacsée?s?|séparée?s?|installée?s?|achetée?|offerte?|mise? (?:à|au)|abonnée?"
_RULES = [
    Rule("name", r"<C>(?:je m'appelle|mon (?:nom|prénom) est|moi c'est) (?P<v><NAME>)", "{who} s'appelle {v}", single=True),
    Rule("age", r"<C>j'ai <AD>(?P<v><NUM>) ans\b(?! (?:de|d'))", "{who} a {v} ans", single=True),
    Rule("birthday", r"\bmon anniversaire(?:, c'est| est|, c'est) le (?P<v>\d{1,2}(?:er)? \w+)", "{who} a son anniversaire le {v}", single=True),
    Rule("lives_in", r"<C>(?:je n'habite|je ne vis|(?P<we>nous) n'habitons|(?P<we>on) n'habite) plus (?P<p>à|en|au|aux|dans le|près de) (?P<v><NAME>)", "{who} n'habite plus {p} {v}", hold=Hold.OVER, single=True),
    Rule("lives_in", r"<C>(?:j'habitais|je vivais|j'ai (?:longtemps )?(?:habité|vécu)|(?P<we>on) a (?:habité|vécu)) (?:avant |autrefois |longtemps )?(?P<p>à|en|au|aux|près de) (?P<v><NAME>)", "{who} a habité {p} {v}", hold=Hold.OVER, single=True),
    Rule("lives_in", r"<C>(?:j'habite|je vis|je loge|(?P<we>nous) (?:habitons|vivons)|(?P<we>on) (?:habite|vit)) <AD>(?P<p>à|en|au|aux|dans le|près de|près d') ?(?:la |l')?(?P<v><NAME>)", "{who} habite {p} {v}", single=True),
    Rule("lives_in", r"<C>(?:<JAI> (?:déménagé|emménagé)|je me suis installée?|je suis venue? (?:vivre|habiter)) (?P<p>à|en|au|aux) (?P<v><NAME>)", "{who} a déménagé {p} {v} et y habite", single=True, confidence=0.85),
    Rule("origin", r"<C>(?:je viens (?:de |d'|du )|je suis née? à |je suis originaire (?:de |d'|du )|j'ai grandi à )(?P<v><NAME>)(?=[,;.!]|\s*$| (?:et|mais|en)\b)", "{who} vient de {v}", single=True),
    Rule("works_as", r"<C>(?:j'étais|je travaillais comme|j'ai été) (?P<v><OCC>)\b", "{who} a été {v}", hold=Hold.OVER, single=True),
    Rule("works_as", r"<C>je ne suis plus (?P<v><OCC>)\b", "{who} n'est plus {v}", hold=Hold.OVER, single=True),
    Rule("works_as", r"<C>(?:je suis <AD>|je travaille <AD>comme |je bosse comme |en tant que |je suis devenue? |mon métier, c'est )(?:une? )?(?P<v><OCC>)(?=[,;:.!]|\s*$| (?:à|au|en|dans|et|chez|depuis|de|dans)\b)", "{who} est {v}", single=True),
    Rule("works_at", r"<C>(?:je travaillais|j'ai travaillé) (?P<p>à|au|chez|pour|dans) (?P<v>(?:la |l'|le |un |une )?(?:<NAME>|[a-zéèêàç\-]+))<E>", "{who} a travaillé {p} {v}", hold=Hold.OVER, single=True),
    Rule("works_at", r"<C>je ne travaille plus (?P<p>à|au|chez|pour|dans) (?P<v>(?:la |l'|le |un |une )?(?:<NAME>|[a-zéèêàç\-]+))<E>", "{who} ne travaille plus {p} {v}", hold=Hold.OVER, single=True),
    Rule("works_at", r"<C>(?:je travaille|je bosse) <AD>(?P<p>à|au|chez|pour|dans) (?P<v>(?:la |l'|le |un |une )?(?:<NAME>|[a-zéèêàç\-]+(?: de <NAME>)?))<E>", "{who} travaille {p} {v}", single=True),
    Rule("studies", r"<C>(?:j'étudie|je fais des études (?:de |d'|en )|je fais une licence (?:de |d'|en )) ?(?P<v>(?:le |la |l')?[a-zéèê]{4,}(?: [a-zéèê]{4,})?)<E>", "{who} étudie {v}", single=True),
    Rule("studies", r"<C>(?:je passe|je prépare|je suis|je fais) (?P<v>(?:un |une |le |mon )(?:CAP|BTS|licence|master|formation|bac|diplôme|concours|thèse|doctorat)(?: [\w'\-]+){0,3}?)<E>", "{who} prépare {v}", single=True),
    Rule("child", r"\b(?:mon|ma|notre) (?:(?:petite?|grande?) )?(?:fils|fille|fiston|bébé)(?:, qui s'appelle| s'appelle|,)? (?P<v>(?-i:[A-ZÀ-Þ][\w\-]+))", "{who} a un enfant nommé {v}"),
    Rule("child", r"<C>(?:je n'ai|(?P<we>on) n'a|(?P<we>nous) n'avons) pas d'(?P<v>enfants?)\b", "{who} n'a pas d'enfant", hold=Hold.NOT),
    Rule("partner", r"\b(?:mon|ma) (?P<p>mari|femme|compagnon|compagne|conjointe?|fiancée?)(?:, qui s'appelle| s'appelle|,)? (?P<v>(?-i:[A-ZÀ-Þ][\w\-]+))", "{v} est le conjoint ou la conjointe de {who} ({p})", single=True),
    Rule("relative", r"\b(?:mon|ma|notre) (?:(?:petite?|grande?) )?(?P<p><KIN>)(?: s'appelle)? (?P<v>(?-i:[A-ZÀ-Þ][\w\-]+))", "{v} est de la famille de {who} ({p})"),
    Rule("pet", r"\b(?:mon|ma|notre) (?:(?:vieux|vieille|petite?|gros|grosse) )?(?P<p><PET>)(?:, qui s'appelle| s'appelle|,)? (?P<v>(?-i:[A-ZÀ-Þ][\w\-]+))", "{who} a un animal nommé {v} ({p})"),
    Rule("pet", r"<C><JAI> <AD>(?P<v>(?:une?|deux|trois|quatre) (?:(?:vieux|vieille|petits?|petites?|gros|grosse) )?<PET>s?)(?: qui s'appelle (?P<p><NAME>))?(?=[,;.!]|\s*$| (?:et|qui|de|à)\b)", "{who} a {v} {p}", confidence=0.85),
    Rule("pet", r"\b(?:mon|ma) (?P<v><PET>)(?= (?:est|a|aime|déteste|dort|mange)\b(?! (?:mort|morte)))", "{who} a un animal : {v}", confidence=0.85),
    Rule("owns", r"<C><JAI> (?P<v>(?:une?|deux|trois) (?:(?:petite?|vieille|vieux|grande?) )?<GOODS>)<E>", "{who} a {v}", confidence=0.85),
    Rule("allergic", r"<C>je ne suis (?:pas|plus) allergique (?:à la |à l'|aux? |à )(?P<v><SOME>)<E>", "{who} n'est pas allergique : {v}", hold=Hold.NOT),
    Rule("allergic", r"<C>(?:je suis <AD>allergique|j'ai une allergie) (?P<p>à la|à l'|aux?|à) ?(?P<v><SOME>)<E>", "{who} est allergique {p} {v}", confidence=0.95),
    Rule("speaks", r"<C>(?:je parle|j'apprends) <AD>(?:couramment |un peu |assez bien )?(?P<v><LANG>)\b", "{who} parle ou apprend {v}"),
    Rule("diet", r"<C>(?:je ne suis plus|j'étais|je ne suis pas) <AD>(?P<v><DIET>)", "{who} n'est plus {v}", kind=Kind.PREFERENCE, hold=Hold.OVER),
    Rule("diet", r"<C>(?:je suis <AD>|je suis devenue? |(?:toujours |encore )(?=végé))(?P<v><DIET>)", "{who} est {v}", kind=Kind.PREFERENCE),
    Rule("eats", r"<C>(?:je ne (?:mange|bois|supporte)|j'ai arrêté) (?:pas|plus|jamais)? ?(?:de |d'|le |la |l')(?P<v><FOOD>)\b", "{who} ne prend pas de {v}", kind=Kind.PREFERENCE, hold=Hold.NOT),
    Rule("likes", r"<C>(?:j'aimais|j'adorais) <AD>(?P<v><THING>)<E>", "{who} aimait {v}", kind=Kind.PREFERENCE, hold=Hold.OVER),
    Rule("likes", r"<C>(?:je n'aime (?:pas|plus)(?: du tout)?|je déteste|j'ai horreur de|je ne supporte (?:pas|plus)|je n'aime pas trop) (?P<v><THING>)<E>", "{who} n'aime pas {v}", kind=Kind.PREFERENCE, hold=Hold.NOT),
    Rule("likes", r"<C>(?:j'aime <AD>|j'adore <AD>|je préfère |je suis fane? (?:de |d'))(?P<v><THING>)<E>", "{who} aime {v}", kind=Kind.PREFERENCE),
    Rule("favourite", r"\b(?:mon|ma) (?P<p>[a-zéè]+) (?:préférée?|favorite?) (?:est|c'est|, c'est) (?P<v><SOME>)<E>", "{p} préféré(e) de {who} : {v}", kind=Kind.PREFERENCE),
    Rule("does", r"<C>(?:je ne joue plus|j'ai arrêté de jouer|je jouais) (?P<v><GAME>)|<C>(?:je ne fais plus|j'ai arrêté de faire|j'ai arrêté|je faisais) (?P<v><SPORT>)", "{who} ne fait plus : {v}", hold=Hold.OVER),
    Rule("does", r"<C>j'ai arrêté de (?P<v>fumer|courir|boire|nager|danser|chanter|peindre)\b", "{who} a arrêté de {v}", hold=Hold.OVER),
    Rule("does", r"<C>(?:je joue|je me suis mise? à jouer|j'apprends à jouer) (?P<v><GAME>)\b", "{who} joue {v}"),
    Rule("does", r"<C>(?:je fais|je me suis mise? à faire) (?P<v><SPORT>)\b", "{who} fait {v}"),
    Rule("does", rf"<C>(?P<verb>je (?:cours|nage|danse|chante|peins|lis|cuisine|taille|donne|marche|jardine|tricote|joue|vais)|j'enseigne|je m'entraîne) (?P<v>(?:[\w'\-]+ ){{0,5}}?<OFTEN>)", "{who} {verb} {v}"),
    Rule("plan", r"<C>(?:j'ai|(?P<we>on) a|(?P<we>nous) avons) (?P<v>(?:(?:un |une |mon |notre )(?:concert|examen|entretien|rendez-vous|répétition|réunion|vol|match|spectacle|mariage|visite|déménagement|course|contrôle|opération|cours)|rendez-vous|cours)(?: <REST>)?)<EC>", "{who} a {v}", kind=Kind.EVENT, ahead=True, dated=True),
    Rule("plan", rf"<C>(?P<verb>{_JE}) (?P<v><REST>)<EC>", "{who} {verb} {v}", kind=Kind.EVENT, ahead=True, dated=True),
    Rule("plan", rf"<C>(?P<we>(?P<verb>{_ON})) (?P<v><REST>)<EC>", "{who} {verb} {v}", kind=Kind.EVENT, ahead=True, dated=True),
    Rule("plan", r"<C>(?P<we>(?P<verb>on (?!nous |m'|me |lui |te |t'|vous |leur |a |est |y |en |s'est |peut |veut |doit |verra |dirait |se |va voir)[a-zéèê]{3,})) (?P<v><REST>)<EC>", "{who} {verb} {v}", kind=Kind.EVENT, ahead=True, dated=True, confidence=0.8),
    Rule("plan", r"<C>(?P<verb>(?:je |j')(?!pense |espère |doute |rappelle |demande )[a-zéèêâ]{2,}e) (?P<v><REST>)<EC>", "{who} {verb} {v}", kind=Kind.EVENT, ahead=True, dated=True, confidence=0.8),
    Rule("plan", r"<C>(?:je (?P<verb>vais)|(?P<we>on) (?P<verb>va)) (?P<v>(?:ouvrir|acheter|vendre|déménager|étudier|apprendre|adopter|épouser|construire|quitter|démissionner|avoir un (?:bébé|enfant)|devenir)\b(?: <REST>)?)<EC>", "{who} {verb} {v}", kind=Kind.EVENT, ahead=True, confidence=0.8),
    Rule("event", r"<C>(?:j'(?P<verb>étais)|(?P<we>on) (?P<verb>était)) (?P<v>(?:à|en|au|aux) <NAME>(?: <REST>)?)<EC>", "{who} {verb} {v}", kind=Kind.EVENT, dated=True),
    Rule("event", rf"<C><JAI> <AD>(?P<verb>{_DONE})(?: (?P<v><REST>))?<EC>", "{who} a {verb} {v}", kind=Kind.EVENT),
    Rule("event", rf"<C><JSUIS> <AD>(?P<verb>{_WENT})(?: (?P<v><REST>))?<EC>", "{who} est {verb} {v}", kind=Kind.EVENT),
    Rule("event", rf"<C>(?:je me suis|(?P<we>on) s'est) <AD>(?P<verb>{_SELF})(?: (?P<v><REST>))?<EC>", "{who} s'est {verb} {v}", kind=Kind.EVENT),
    Rule("event", r"<C>(?P<we>on) attend (?P<v>un bébé|un enfant|des jumeaux)", "{who} attend {v}", kind=Kind.EVENT),
]
LANGUAGE = Language(
    telling=frozenset(
        "je j et le les habite travaille parle est ne pas mon ma mes moi me nous un une des du au aux avec pour suis ai a été qui que dans "
        "sur mais elle il on ce c'est ça depuis très plus chez à où vous tu notre nos votre encore était aussi bien j'ai n'ai qu'il d'un d'une c".split()
    ),
    guard=r"\b(?:si|s'il|s'ils|peut-être|probablement|sans doute|j'aimerais|je voudrais|j'aurais|je serais|"
    r"je pourrais|je devrais|on pourrait|on devrait|il faudrait|on dirait|comme si|imagine\w*|rêv\w*|"
    r"j'espère|je crois|je pense|on veut|quand je|quand on|jusqu'à ce que|soi-disant|sinon|failli)\b|\w+rais\b|"
    r"\b(?:il|elle|on|maman|papa|[A-ZÉ][\w\-]+) (?:m'a dit|dit|disait|a dit|pense|croit|prétend|demande|a demandé|trouve)\b",
    others="{name}, avec d'autres,",
    macros=_MACROS,
    rules=_RULES,
    dates=_DATES,
    turned={"mon": "son", "ma": "sa", "mes": "ses", "notre": "leur", "nos": "leurs", "moi": "soi"},
    personal="presque|quelqu'un|quelque chose|je|j|j'|me|m'|nous|tu|te|t'|toi|ton|ta|tes|vous|votre|vos",
    denial=r"pas|jamais|rien|personne|aucune?",
    denied=r"plus(?! de)|pas|jamais",
    idle=r"(?:ça|cela|tout|rien|quelque chose|quand|comment|que|qu'|bien|ce|cette|le|la|les)\b(?: .{0,2})?",
    articles=r"^(?:le |la |les |l'|un |une |du |de la |de l'|des |de |d'|mon |ma |mes )",
    verbs=_VERBS,
)  # fmt: skip
