"""Spanish."""

from antiphon_server.memory.extracting.dates import DateWords
from antiphon_server.memory.extracting.grammar import Language, Rule
from antiphon_server.memory.extracting.model import Hold, Kind

_DATES = DateWords(
    numbers={
        "un": 1, "una": 1, "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5, "seis": 6, "siete": 7, "ocho": 8,
        "nueve": 9, "diez": 10, "once": 11, "doce": 12, "quince": 15, "veinte": 20, "treinta": 30,
    },
    units={
        "día": "day", "días": "day", "semana": "week", "semanas": "week", "mes": "month", "meses": "month",
        "año": "year", "años": "year",
    },
    weekdays={
        "lunes": 0, "martes": 1, "miércoles": 2, "jueves": 3, "viernes": 4, "sábado": 5, "domingo": 6,
    },
    months={
        "enero": 1, "febrero": 2, "marzo": 3, "abril": 4, "mayo": 5, "junio": 6, "julio": 7, "agosto": 8,
        "septiembre": 9, "octubre": 10, "noviembre": 11, "diciembre": 12,
    },
    seasons={"primavera": 3, "verano": 6, "otoño": 9, "invierno": 12},
    patterns=[
        ("(?:el )?(?:<W> )?<D> de <M>(?: (?:de|del) <Y>)?", "date"),
        ("desde (?:el año )?<Y>", "since year"),
        ("desde <M>(?: de <Y>)?", "since month"),
        ("desde hace <N> <U>", "since moved:-1"),
        ("anteayer|antes de ayer", "day:-2"),
        ("pasado mañana", "day:2"),
        ("ayer|anoche", "day:-1"),
        ("(?<!la )(?<!por la )(?<!de la )(?<!las )mañana", "day:1"),
        ("hoy|esta (?:mañana|tarde|noche)", "day:0"),
        ("hace <N> <U>", "moved:-1"),
        ("(?:dentro de|en) <N> <U>", "moved:1"),
        ("el (?:fin de semana|finde) pasado", "weekend:-1"),
        ("el (?:próximo )?(?:fin de semana|finde)(?: que viene| próximo)", "weekend:1"),
        ("este (?:fin de semana|finde)|el fin de semana", "weekend:0"),
        ("(?:la |el )<U> pasad[oa]", "unit:-1"),
        ("(?:la |el )(?:próxim[oa] )?<U> (?:que viene|próxim[oa])", "unit:1"),
        ("(?:la próxima|el próximo) <U>", "unit:1"),
        ("el (?:pasado )?<W> pasado", "weekday:last"),
        ("el <W> (?:que viene|próximo)", "weekday:next"),
        ("el próximo <W>", "weekday:next"),
        ("desde el <W>", "since weekday:last"),
        ("(?:el|este|hasta el) <W>", "weekday"),
        ("(?:en|este|esta|el|la) <S>(?: (?:pasad[oa]|que viene))?", "season"),
        ("(?:en|finales de|principios de|mediados de|desde|hasta) <M>(?: de <Y>)?", "month"),
        ("en <Y>", "year"),
        ("(?:el|del|al|hasta el) (?:día )?<D>(?! (?:euros|años|horas|metros|por))", "of_month"),
        ("(?:en|por) navidad", "christmas"),
        ("(?:en|por|después de) semana santa", "easter"),
    ],
)  # fmt: skip

_MACROS = {
    "C": r"(?:^\W*|(?<=[,;:–—(¡] )|(?<=[,;:–—(¡])|(?<=\by )|(?<=\bpero )|(?<=\bporque )|(?<=\bque ))"
    r"(?:(?:yo|nosotros|nosotras|bueno|pues|sí|no(?=[,!.])|ay|oye|y|pero|ahora|hola|además|también|por cierto|la verdad|en fin|"
    r"mira|hoy|ayer|anoche|mañana|total|de momento|actualmente|por fin|al final|desde \w+(?: \w+)?|en \w+|"
    r"el \w+ pasado|el (?:lunes|martes|miércoles|jueves|viernes|sábado|domingo)|la semana pasada|"
    r"el mes pasado|este \w+|hace \w+ \w+)[,!.]* )*",
    "AD": r"(?:(?:ya|también|siempre|todavía|aún|ahora|mucho|muchísimo|sólo|solo|por fin|realmente|simplemente|"
    r"desde hace \w+ \w+|actualmente|muy|aquí) )*",
    "E": r"(?=[,;:()–—!…]|\.?\s*$| (?:y|pero|porque|desde|cuando|donde|que|más|con|en|para|por|a)\b)",
    "EC": r"(?=[;:()–—!…]|,|\.?\s*$| (?:(?:y|pero) (?:yo|él|ella|me|se|la|el|mi|ya|no|luego|ahora|le)|"
    r"porque|cuando|aunque|mientras|que|y (?:vuelvo|voy|me|nos|salgo|tengo|empiezo|luego))\b)",
    "OCC": r"(?:enfermer[oa]|médic[oa]|cirujan[oa]|dentista|veterinari[oa]|biólog[oa]|químic[oa]|físic[oa]|científic[oa]|"
    r"investigador[a]?|ingenier[oa]|programador[a]?|informátic[oa]|diseñador[a]?|arquitect[oa]|carpinter[oa]|"
    r"electricista|fontaner[oa]|mecánic[oa]|panader[oa]|pasteler[oa]|cociner[oa]|camarer[oa]|jardiner[oa]|"
    r"agricultor[a]?|pescador[a]?|carnicer[oa]|modista|sastre|peluquer[oa]|conductor[a]?|camioner[oa]|taxista|piloto|"
    r"policía|bomber[oa]|matrona|cuidador[a]?|secretari[oa]|contable|administrativ[oa]|abogad[oa]|juez[a]?|notari[oa]|"
    r"periodista|redactor[a]?|escritor[a]?|traductor[a]?|intérprete|bibliotecari[oa]|librer[oa]|vendedor[a]?|"
    r"dependient[ea]|consultor[a]?|profesor[a]?(?: de [a-záéíóúñ]+)?|maestr[oa]|estudiante(?: de [a-záéíóúñ]+)?|"
    r"aprendiz[a]?|becari[oa]|músic[oa]|violinista|pianista|guitarrista|cantante|actor|actriz|bailarín|bailarina|"
    r"pintor[a]?|escultor[a]?|ceramista|fotógraf[oa]|fisioterapeuta|psicólog[oa]|psiquiatra|logopeda|farmacéutic[oa]|"
    r"óptic[oa]|trabajador[a]? social|carter[oa]|albañil|soldador[a]?|reloje?r[oa]|florista|apicultor[a]?|geólog[oa]|"
    r"historiador[a]?|arqueólog[oa]|economista|jubilad[oa]|funcionari[oa]|auxiliar de [a-záéíóúñ]+|gestor[a]?)",
    "LANG": r"(?:español|castellano|inglés|francés|alemán|italiano|portugués|holandés|neerlandés|polaco|ruso|ucraniano|"
    r"turco|árabe|persa|chino|mandarín|japonés|coreano|sueco|noruego|danés|finés|griego|checo|húngaro|rumano|"
    r"catalán|gallego|euskera|vasco|latín|quechua)",
    "GAME": r"(?:el piano|la guitarra|el bajo|el violín|la viola|el violonchelo|el chelo|el contrabajo|la flauta|"
    r"el clarinete|el saxofón|el saxo|la trompeta|el trombón|la batería|el acordeón|el arpa|el oboe|el órgano|"
    r"la gaita|la mandolina|el ukelele|al tenis|al fútbol|al baloncesto|al voleibol|al balonmano|al rugby|al golf|"
    r"al bádminton|al ajedrez|al póker|al mus|al pádel|al ping-pong)",
    "SPORT": r"(?:yoga|natación|senderismo|escalada|ciclismo|teatro|cerámica|judo|danza|baile|pilates|surf|vela|esquí|"
    r"equitación|running|remo|pintura)",
    "PET": r"(?:gat[oa]|gatit[oa]|perr[oa]|perrit[oa]|cachorr[oa]|periquito|loro|conejo|coneja|hámster|cobaya|caballo|"
    r"yegua|poni|tortuga|pez|gallina|gallo|hurón|burr[oa]|cabra|canario|galgo|labrador)",
    "KIN": r"(?:hermano|hermana|madre|padre|mamá|papá|abuelo|abuela|nieto|nieta|sobrino|sobrina|tío|tía|primo|prima|"
    r"cuñado|cuñada|suegro|suegra|ahijado|ahijada|padrino|madrina)",
    "DIET": r"(?:vegetarian[oa]|vegan[oa]|celíac[oa]|intolerante (?:a la lactosa|al gluten)|diabétic[oa]|abstemi[oa])",
    "FOOD": r"(?:carne(?: roja)?|pescado|cerdo|ternera|marisco|leche|queso|huevos|gluten|trigo|pan|azúcar|nueces|"
    r"frutos secos|alcohol|vino|cerveza|café|chocolate|lácteos)",
    "GOODS": r"(?:casa|piso|huerto|jardín|coche|barco|moto|bici|bicicleta|piano|caravana|furgoneta|taller|tienda|finca|"
    r"granja|local|apartamento|parcela)",
    "NUM": r"(?:\d{1,3}|(?:treinta|cuarenta|cincuenta|sesenta|setenta|ochenta|noventa)(?: y (?:uno?|dos|tres|cuatro|"
    r"cinco|seis|siete|ocho|nueve))?|veinte|veinti(?:uno?|ún|dós|trés|cuatro|cinco|séis|siete|ocho|nueve)|dieci\w+)",
    "THING": r"(?!(?:est[eoa]s?|es[eoa]s?|aquel\w*|tu|tus|su|sus|vuestr\w+|lo de|que|cuando|cómo|verte|veros|ell[oa]s?|él|él)\b)"
    r"(?:el |la |los |las )?(?!(?-i:[A-ZÁ-Ú]))\w[\w'\-]*(?: [\w'\-]+){0,3}?",
    "OFTEN": r"(?:todos los \w+|todas las \w+|cada \w+|los (?:lunes|martes|miércoles|jueves|viernes|sábados|domingos)"
    r"(?: por la \w+)?|\w+ horas (?:diarias|al día)|(?:una vez|dos veces|tres veces) (?:a la semana|por semana|al mes))",
}  # fmt: skip

_VERBS = {
    "voy": "va", "viajo": "viaja", "empiezo": "empieza", "comienzo": "comienza", "me mudo": "se muda",
    "salgo": "sale", "firmo": "firma", "abro": "abre", "cojo": "coge", "tengo": "tiene", "me caso": "se casa",
    "vuelvo": "vuelve", "vuelo": "vuela", "cierro": "cierra", "me reincorporo": "se reincorpora", "dejo": "deja",
    "visito": "visita", "toco": "toca", "canto": "canta", "celebro": "celebra", "me voy": "se va",
    "me jubilo": "se jubila", "me examino": "se examina", "llego": "llega", "termino": "termina",
    "me quedo": "se queda", "expongo": "expone", "participo": "participa", "corro": "corre", "juego": "juega",
    "vamos": "van", "viajamos": "viajan", "empezamos": "empiezan", "nos mudamos": "se mudan", "salimos": "salen",
    "firmamos": "firman", "abrimos": "abren", "cogemos": "cogen", "tenemos": "tienen", "nos casamos": "se casan",
    "volvemos": "vuelven", "volamos": "vuelan", "celebramos": "celebran", "nos vamos": "se van", "tocamos": "tocan",
    "lo celebramos": "lo celebran", "nos quedamos": "se quedan", "vendemos": "venden", "iré": "irá", "iremos": "irán",
    "compré": "compró", "me compré": "se compró", "vendí": "vendió", "alquilé": "alquiló", "adopté": "adoptó",
    "gané": "ganó", "perdí": "perdió", "firmé": "firmó", "dejé": "dejó", "me mudé": "se mudó", "conseguí": "consiguió",
    "empecé": "empezó", "abrí": "abrió", "terminé": "terminó", "contraté": "contrató", "monté": "montó",
    "me casé": "se casó", "me jubilé": "se jubiló", "renuncié": "renunció", "aprobé": "aprobó", "suspendí": "suspendió",
    "nací": "nació", "viajé": "viajó", "visité": "visitó", "me apunté": "se apuntó", "me matriculé": "se matriculó",
    "reservé": "reservó", "pedí": "pidió", "encargué": "encargó", "publiqué": "publicó", "fundé": "fundó",
    "compramos": "compraron", "vendimos": "vendieron", "alquilamos": "alquilaron", "adoptamos": "adoptaron",
    "he": "ha", "me he": "se ha", "hemos": "han", "nos hemos": "se han", "nado": "nada", "bailo": "baila",
    "pinto": "pinta", "leo": "lee", "cocino": "cocina", "entreno": "entrena", "enseño": "enseña", "camino": "camina",
    "hago": "hace", "estudio": "estudia", "trabajo": "trabaja", "subí": "subió", "salí": "salió", "encontré": "encontró", "fui": "fue", "estuve": "estuvo", "encontramos": "encontraron", "fuimos": "fueron", "estuvimos": "estuvieron", "subimos": "subieron", "doy": "da", "abriré": "abrirá", "abriremos": "abrirán", "empezaré": "empezará", "seré": "será",
}  # fmt: skip
_PLANS = (
    "me voy|voy|viajo|empiezo|comienzo|me mudo|salgo|firmo|abro|cojo|tengo|me caso|vuelvo|vuelo|cierro|"
    "me reincorporo|dejo|visito|toco|canto|celebro|me jubilo|me examino|llego|termino|me quedo|expongo|participo|"
    "corro|juego|iré|abriré|empezaré"
)
_WE_PLANS = (
    "nos vamos|vamos|viajamos|empezamos|nos mudamos|salimos|firmamos|abrimos|cogemos|tenemos|nos casamos|volvemos|"
    "volamos|lo celebramos|celebramos|tocamos|nos quedamos|iremos|abriremos"
)
_I_DID = (
    "me compré|compré|vendí|alquilé|adopté|gané|perdí|firmé|dejé|me mudé|conseguí|empecé|abrí|terminé|contraté|"
    "monté|me casé|me jubilé|renuncié|aprobé|suspendí|nací|viajé|visité|me apunté|me matriculé|reservé|pedí|"
    "encargué|publiqué|fundé"
)
_WE_DID = "compramos|vendimos|alquilamos|adoptamos"
_DONE = (
    "comprado|vendido|alquilado|adoptado|heredado|ganado|perdido|casado|dejado|dimitido|renunciado|conseguido|"
    "aprobado|suspendido|firmado|abandonado|empezado|montado|pedido|reservado|abierto|fundado|publicado|contratado|"
    "plantado|mudado|terminado|construido|recibido|encontrado|apuntado|matriculado|jubilado|cambiado|enterrado|"
    "prometido|separado|divorciado|encargado|cancelado|solicitado|aceptado|rechazado"
)
_RULES = [
    Rule("name", r"<C>(?:me llamo|mi nombre es|soy (?=[A-Z]\w+,? (?:de|desde)\b)) ?(?P<v><NAME>)", "{who} se llama {v}", single=True),
    Rule("age", r"<C>(?:tengo|he cumplido|cumplí|acabo de cumplir) <AD>(?P<v><NUM>)(?: años\b(?! de)|(?<=cumplí \d\d)\b)", "{who} tiene {v} años", single=True),
    Rule("birthday", r"\bmi cumpleaños es el (?P<v>\d{1,2} de \w+)", "{who} cumple años el {v}", single=True),
    Rule("lives_in", r"<C>(?:ya no (?:vivo|(?P<we>vivimos))|no (?:vivo|(?P<we>vivimos)) ya) en (?P<v><NAME>)", "{who} ya no [vive|viven] en {v}", hold=Hold.OVER, single=True),
    Rule("lives_in", r"<C>(?:antes )?(?:vivía|viví|(?P<we>vivíamos|vivimos antes)|he vivido) (?:antes |muchos años )?en (?P<v><NAME>)", "{who} [vivió|vivieron] en {v}", hold=Hold.OVER, single=True),
    Rule("lives_in", r"<C>(?:vivo|resido|(?P<we>vivimos)|(?P<we>nos quedamos)|estoy viviendo|llevo \w+ \w+ viviendo) <AD>(?P<p>en|cerca de) (?:el |la )?(?P<v><NAME>)", "{who} [vive|viven] {p} {v}", single=True),
    Rule("lives_in", r"<C>(?:me (?:he mudado|mudé|fui a vivir|vine)|(?P<we>nos (?:hemos mudado|mudamos))|me vine a vivir) a (?P<v><NAME>)", "{who} se [mudó|mudaron] a {v} y [vive|viven] allí", single=True, confidence=0.85),
    Rule("origin", r"<C>(?:soy (?:originari[oa] )?de|vengo de|nací en|me crié en|crecí en) (?P<v><NAME>)<E>", "{who} es de {v}", single=True),
    Rule("works_as", r"<C>(?:era|fui|trabajaba como|trabajaba de|antes era) (?:una? )?(?P<v><OCC>)\b", "{who} fue {v}", hold=Hold.OVER, single=True),
    Rule("works_as", r"<C>(?:ya no soy|no soy|ya no trabajo (?:como|de)) (?P<v><OCC>)\b", "{who} ya no es {v}", hold=Hold.OVER, single=True),
    Rule("works_as", r"<C>(?:soy|trabajo (?:como|de)|llevo \w+ \w+ (?:como|de)) <AD>(?:una? )?(?P<v><OCC>)(?=[,;:.!]|\s*$| (?:en|de|y|desde|por|del)\b)", "{who} es {v}", single=True),
    Rule("works_at", r"<C>(?:trabajaba|trabajé|he trabajado) (?P<p>en|para) (?P<v>(?:el |la |una? )?(?:<NAME>|[a-záéíóúñ]+(?: de <NAME>)?))<E>", "{who} trabajó {p} {v}", hold=Hold.OVER, single=True),
    Rule("works_at", r"<C>ya no trabajo (?P<p>en|para) (?P<v>(?:el |la |una? )?(?:<NAME>|[a-záéíóúñ]+(?: de <NAME>)?))<E>", "{who} ya no trabaja {p} {v}", hold=Hold.OVER, single=True),
    Rule("works_at", r"<C>trabajo <AD>(?P<p>en|para) (?P<v>(?:el |la |una? )?(?:<NAME>|[a-záéíóúñ]+(?: de <NAME>)?))<E>", "{who} trabaja {p} {v}", single=True),
    Rule("studies", r"<C>(?:estudio|estoy estudiando|estoy haciendo) <AD>(?P<v>(?:un máster (?:de|en) |un curso de |el grado de )?[a-záéíóúñ]{5,}(?: [a-záéíóúñ]{4,})?)<E>", "{who} estudia {v}", single=True),
    Rule("child", r"\b(?:mi|nuestr[oa]) (?:hij[oa]|niñ[oa]|bebé)(?: (?:mayor|pequeñ[oa]|menor|mediano|mediana))?(?:,? que se llama| se llama|,)? (?P<v>(?-i:[A-ZÁ-Ú][\w\-]+))", "{who} tiene un hijo o una hija: {v}"),
    Rule("child", r"<C>no (?:tengo|(?P<we>tenemos)) (?P<v>hijos|niños)\b", "{who} no [tiene|tienen] hijos", hold=Hold.NOT),
    Rule("partner", r"\bmi (?P<p>marido|mujer|esposo|esposa|novio|novia|pareja|prometid[oa])(?:,? que se llama| se llama|,)? (?P<v>(?-i:[A-ZÁ-Ú][\w\-]+))", "la pareja de {who} es {v} ({p})", single=True),
    Rule("relative", r"\b(?:mi|nuestr[oa]) (?P<p><KIN>)(?: (?:mayor|pequeñ[oa]|menor))?(?: se llama)? (?P<v>(?-i:[A-ZÁ-Ú][\w\-]+))", "{v} es de la familia de {who} ({p})"),
    Rule("pet", r"\b(?:mi|nuestr[oa]) (?P<p><PET>)(?:,? que se llama| se llama|,)? (?P<v>(?-i:[A-ZÁ-Ú][\w\-]+))", "{who} tiene un animal que se llama {v} ({p})"),
    Rule("pet", r"<C>(?:tengo|(?P<we>tenemos)) <AD>(?P<v>(?:una?|dos|tres|cuatro) <PET>s?)(?: (?:que se llama|llamad[oa]) (?P<p><NAME>))?(?=[,;.!]|\s*$| (?:y|que|de|en|llamad[oa]s?)\b)", "{who} [tiene|tienen] {v} {p}", confidence=0.85),
    Rule("pet", r"\bmi (?P<v><PET>)(?= (?:es|está|tiene|duerme|come|ladra)\b)", "{who} tiene un animal: {v}", confidence=0.85),
    Rule("owns", r"<C>(?:tengo|(?P<we>tenemos)) <AD>(?P<v>(?:una?|dos|tres) <GOODS>)<E>", "{who} [tiene|tienen] {v}", confidence=0.85),
    Rule("allergic", r"<C>(?:ya )?no soy alérgic[oa] (?:a la|a los|a las|al|a) (?P<v><SOME>)<E>", "{who} no es alérgico o alérgica: {v}", hold=Hold.NOT),
    Rule("allergic", r"<C>(?:soy <AD>alérgic[oa]|tengo alergia) (?P<p>a la|a los|a las|al|a) (?P<v><SOME>)<E>", "{who} tiene alergia {p} {v}", confidence=0.95),
    Rule("speaks", r"<C>(?:hablo|aprendo|estoy aprendiendo) <AD>(?:un poco de |algo de )?(?P<v><LANG>)\b", "{who} habla o aprende {v}"),
    Rule("diet", r"<C>(?:ya no soy|no soy|he dejado de ser|antes era) (?P<v><DIET>)", "{who} ya no es: {v}", kind=Kind.PREFERENCE, hold=Hold.OVER),
    Rule("diet", r"<C>(?:soy|me he hecho|me hice) <AD>(?P<v><DIET>)", "{who}: {v}", kind=Kind.PREFERENCE),
    Rule("eats", r"<C>(?:(?:ya )?no (?:como|bebo|tomo|pruebo)|nunca (?:como|bebo|tomo)|he dejado (?:de (?:comer|beber|tomar) )?|no puedo (?:comer|tomar)) ?(?:el |la |los )?(?P<v><FOOD>)\b", "{who} no toma {v}", kind=Kind.PREFERENCE, hold=Hold.NOT),
    Rule("likes", r"<C>antes me (?:gustaba|gustaban|encantaba|encantaban) <AD>(?P<v><THING>)<E>", "a {who} le gustaba {v}", kind=Kind.PREFERENCE, hold=Hold.OVER),
    Rule("likes", r"<C>(?:a mí )?(?:(?:ya )?no me (?:gustan?|apasionan?)(?: nada)?|odio|detesto|no soporto|no aguanto) (?P<v><THING>)<E>", "a {who} no le gusta {v}", kind=Kind.PREFERENCE, hold=Hold.NOT),
    Rule("likes", r"<C>(?:a mí )?(?:me (?:gustan?|encantan?|apasionan?|chiflan?)|prefiero|adoro) <AD>(?P<v><THING>)<E>", "a {who} le gusta {v}", kind=Kind.PREFERENCE),
    Rule("favourite", r"\bmi (?P<p>[a-záéíóúñ]+) (?:favorit[oa]|preferid[oa]) es (?P<v><SOME>)<E>", "{p} preferido de {who}: {v}", kind=Kind.PREFERENCE),
    Rule("does", r"<C>(?:ya no (?:toco|juego)|antes (?:tocaba|jugaba)|he dejado de (?:tocar|jugar)|dejé de (?:tocar|jugar)) (?P<v><GAME>)|<C>(?:ya no hago|he dejado|dejé|antes hacía) (?P<v><SPORT>)\b", "{who} ya no: {v}", hold=Hold.OVER),
    Rule("does", r"<C>(?:he dejado de|dejé de) (?P<v>fumar|correr|beber|nadar|bailar|pintar|cantar)\b", "{who} ha dejado de {v}", hold=Hold.OVER),
    Rule("does", r"<C>(?:toco|juego|aprendo a tocar|estoy aprendiendo a tocar|he empezado a tocar) <AD>(?P<v><GAME>)\b", "{who} toca o juega {v}"),
    Rule("does", r"<C>(?:hago|practico) <AD>(?P<v><SPORT>)\b", "{who} hace {v}"),
    Rule("does", r"<C>(?P<verb>nado|corro|bailo|canto|pinto|leo|cocino|entreno|enseño|doy|camino|hago|juego|estudio|trabajo) (?P<v>(?:[\w\-]+ ){0,4}?<OFTEN>)", "{who} {verb} {v}"),
    Rule("plan", rf"<C>(?:(?P<verb>{_PLANS})|(?P<we>(?P<verb>{_WE_PLANS}))) (?P<v><REST>)<EC>", "{who} {verb} {v}", kind=Kind.EVENT, ahead=True, dated=True),
    Rule("plan", rf"<B>(?:el|en|a|la|este|esta|dentro)(?: [\w]+){{1,4}} (?:(?P<verb>{_PLANS})|(?P<we>(?P<verb>{_WE_PLANS})))(?: (?P<v><REST>))?<EC>", "{who} {verb} {v}", kind=Kind.EVENT, ahead=True, dated=True),
    Rule("plan", r"<C>(?P<verb>voy|(?P<we>vamos)) (?P<v>a (?:abrir|comprar|vender|mudarme|mudarnos|estudiar|montar|adoptar|casarme|casarnos|construir|dejar|aprender|tener un (?:hijo|bebé))\b(?: <REST>)?)<EC>", "{who} {verb} {v}", kind=Kind.EVENT, ahead=True, confidence=0.8),
    Rule("event", r"<C>(?P<verb>fui|subí|estuve|(?P<we>fuimos|subimos|estuvimos)) (?P<v>(?:a|al|a la|en|los|las) <NAME>(?: <REST>)?)<EC>", "{who} {verb} {v}", kind=Kind.EVENT),
    Rule("event", r"<C>(?P<verb>salí|encontré|(?P<we>encontramos)) (?P<v>(?:en bici|una? |\d+)<REST>)<EC>", "{who} {verb} {v}", kind=Kind.EVENT),
    Rule("event", rf"<C>(?P<verb>{_I_DID})(?: (?P<v><REST>))?<EC>", "{who} {verb} {v}", kind=Kind.EVENT),
    Rule("event", rf"<C>(?P<we>(?P<verb>{_WE_DID}))(?: (?P<v><REST>))?<EC>", "{who} {verb} {v}", kind=Kind.EVENT),
    Rule("event", rf"<C>(?P<verb>me he|he|(?P<we>nos hemos|hemos)) <AD>(?P<v>(?:{_DONE})(?! (?:más|también|tod\w+|ya|muy|bien|mal)\b)(?: <REST>)?)<EC>", "{who} {verb} {v}", kind=Kind.EVENT),
    Rule("event", r"<C>(?:me han dado|me dieron|(?P<we>nos han dado)) (?P<v>(?:el |la |los |las |un |una )?(?:beca|ayuda|traslado|plaza|trabajo|puesto|alta|permiso|premio|préstamo|visado|pedido|llaves|media jornada|excedencia|título|contrato)\b(?: <REST>)?)<EC>", "a {who} le han dado {v}", kind=Kind.EVENT),
]
LANGUAGE = Language(
    telling=frozenset(
        "yo y el los las es no mi mis me con para por que en un una soy tengo he estoy nuestro nuestra hablo trabajo muy pero como del al se lo "
        "le nos de hoy ya más vivo gusta a ayer desde cuando si qué está son".split()
    ),
    guard=r"\b(?:si|quizás?|tal vez|a lo mejor|puede que|probablemente|seguramente|ojalá|como si|imagin\w+|"
    r"soñ\w+|sueñ\w+|creo que|espero|supongo|me gustaría|me encantaría|querría|podría\w*|debería\w*|tendría\w*|"
    r"sería\w*|habría\w*|hasta que|cuando (?:sea|tenga|vuelva|llegue)|dicen que|parece que|quisiera|por poco)\b|"
    r"\b(?:él|ella|mamá|papá|quien|[A-ZÁ-Ú]\w+) (?:dice|dijo|ha dicho|decía|piensa|cree|pregunta|preguntó|contó|jura)\b",
    others="{name} y otros",
    macros=_MACROS | {"B": r"(?:^\W*|(?<=[,;:–—(¡] )|(?<=\by )|(?<=\bpero ))"},
    rules=_RULES,
    dates=_DATES,
    turned={"mi": "su", "mis": "sus", "nuestro": "su", "nuestra": "su", "nuestros": "sus", "nuestras": "sus"},
    personal="soy|estoy|tengo|voy|vuelvo|quiero|puedo|he|hemos|casi|alguien|algo|helado|bocadillo|café|yo|me|mí|conmigo|nos|nosotros|tú|tu|tus|te|ti|contigo|vosotros|os|vuestro|vuestra|usted|ustedes",
    denial=r"no|nunca|nada|nadie|ningún|ninguna",
    denied=r"(?:ya no|tampoco|nunca|no)",
    idle=r"(?:eso|esto|todo|nada|algo|lo|la|el|cuando|que|mucho|más|así)\b(?: .{0,2})?",
    articles=r"^(?:el|la|los|las|un|una|unos|unas|mi|mis) ",
    verbs=_VERBS,
)  # fmt: skip
