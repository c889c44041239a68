"""Of Spanish."""

from antiphon_server.memory.extracting.dates import DateWords

DATES = DateWords(
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

MACROS = {
    "C": r"(?:^\W*|(?<=[,;:–—(¡] )|(?<=[,;:–—(¡])|(?<=\by )|(?<=\bpero )|(?<=\bporque )|(?<=\bque ))"
    r"(?:(?:yo|nosotros|nosotras|bueno|pues|sí|no(?=[,!.])|ay|oye|y|pero|ahora|hola|además|también|por cierto|la verdad|en fin|"
    r"mira|hoy|ayer|anoche|mañana|total|de momento|actualmente|por fin|al final|desde \w+(?: \w+)?|en \w+|"
    r"el \w+ pasado|el (?:lunes|martes|miércoles|jueves|viernes|sábado|domingo)|la semana pasada|"
    r"el mes pasado|este \w+|hace \w+ \w+)[,!.]* )*",
    "AD": r"(?:(?:ya|también|siempre|todavía|aún|ahora|mucho|muchísimo|sólo|solo|por fin|realmente|simplemente|"
    r"desde hace \w+ \w+|actualmente|muy|aquí) )*+",
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

VERBS = {
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
PLANS = (
    "me voy|voy|viajo|empiezo|comienzo|me mudo|salgo|firmo|abro|cojo|tengo|me caso|vuelvo|vuelo|cierro|"
    "me reincorporo|dejo|visito|toco|canto|celebro|me jubilo|me examino|llego|termino|me quedo|expongo|participo|"
    "corro|juego|iré|abriré|empezaré"
)
WE_PLANS = (
    "nos vamos|vamos|viajamos|empezamos|nos mudamos|salimos|firmamos|abrimos|cogemos|tenemos|nos casamos|volvemos|"
    "volamos|lo celebramos|celebramos|tocamos|nos quedamos|iremos|abriremos"
)
I_DID = (
    "me compré|compré|vendí|alquilé|adopté|gané|perdí|firmé|dejé|me mudé|conseguí|empecé|abrí|terminé|contraté|"
    "monté|me casé|me jubilé|renuncié|aprobé|suspendí|nací|viajé|visité|me apunté|me matriculé|reservé|"
    "encargué|publiqué|fundé"
)
WE_DID = "compramos|vendimos|alquilamos|adoptamos"
DONE = (
    "comprado|vendido|alquilado|adoptado|heredado|ganado|perdido|casado|dejado|dimitido|renunciado|conseguido|"
    "aprobado|suspendido|firmado|abandonado|empezado|montado|pedido|reservado|abierto|fundado|publicado|contratado|"
    "plantado|mudado|terminado|construido|recibido|encontrado|apuntado|matriculado|jubilado|cambiado|enterrado|"
    "prometido|separado|divorciado|encargado|cancelado|solicitado|aceptado|rechazado"
)
