"""Of French."""

from antiphon_server.memory.extracting.dates import DateWords

DATES = DateWords(
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

MACROS = {
    "C": r"(?:^\W*|(?<=[,;:–—(] )|(?<=\bet )|(?<=\bmais )|(?<=\bcar )|(?<=\bque ))"
    r"(?:(?:moi|nous|alors|bon|bah|oui|non|ah|oh|et|mais|donc|maintenant|bonjour|salut|coucou|au fait|d'ailleurs|"
    r"en fait|ça y est|tiens|aujourd'hui|hier(?: soir)?|ce matin|ce soir|demain|finalement|enfin|de mon côté|"
    r"personnellement|franchement|depuis [\w']+(?: [\w']+)?|en \w+(?: \d{4})?|le \w+ dernier|lundi|mardi|mercredi|jeudi|vendredi|"
    r"samedi|dimanche|la semaine dernière|le mois dernier|l'an dernier|le \d+ \w+|dimanche dernier)[,!.]* )*",
    "AD": r"(?:(?:vraiment|aussi|toujours|encore|déjà|enfin|bien|juste|maintenant|beaucoup|énormément|bientôt|"
    r"surtout|simplement|finalement|quand même|trop|tellement|très|absolument) )*+",
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

VERBS = {
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
JE = "|".join(it for it in sorted(VERBS, key=len, reverse=True) if it.startswith(("je ", "j'")))
ON = "|".join(it for it in sorted(VERBS, key=len, reverse=True) if it.startswith("on "))
DONE = (
    "acheté|racheté|vendu|loué|adopté|hérité|gagné|perdu|épousé|démissionné|obtenu|décroché|(?:réussi|raté|passé|eu) (?=(?:mon |l'|le |un )(?:examen|permis|concours|bac|diplôme|entretien))|signé|"
    "abandonné|arrêté|commencé|recommencé|repris|quitté|commandé|réservé|ouvert|fondé|publié|postulé|embauché|"
    "planté|visité|déménagé|(?:fini|terminé|lancé|reçu|monté) (?=le |la |les |l'|une? |mon |ma |mes |notre |nos |des |deux |trois )|construit|trouvé (?=(?:un |une )(?:appart\\w*|logement|maison|travail|emploi|poste|boulot|job|studio|local|stage))|retrouvé|chanté (?=devant |à |au |dans )|suivi (?=une? (?:stage|formation|cours))|fait (?=(?:mon premier|ma première)\b)|joué (?=le \\d|au |aux |à |devant |dans |hier)|envoyé|annulé|refusé|accepté|fêté|"
    "créé|enregistré|renoncé"
)
WENT = (
    "partie?s?|rentrée?s?|revenue?s?|allée?s? (?=à |au |aux |en |chez )|arrivée?s?|née?|devenue?|tombée? enceinte|retournée?s?|montée?s?|"
    "descendue?s?|entrée?s?|sortie?s? de"
)
SELF = "inscrite?s?|mariée?s?|fiancée?s?|pacsée?s?|séparée?s?|installée?s? (?=à |au |aux |en |chez )|achetée?|offerte?|mise? (?:à|au)|abonnée?"
