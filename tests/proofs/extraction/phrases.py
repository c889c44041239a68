"""What simulated people say, in four languages: facts in several words, and what is none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phrases:
    """Of one language.

    ``says`` has, by slot, ways to say a value (`{v}`); ``denies`` ways to take it back. ``values``
    are what slots may have. ``chatter`` tells nothing; ``traps`` look like facts and are none.
    """

    says: Mapping[str, Sequence[str]]
    denies: Mapping[str, Sequence[str]]
    values: Mapping[str, Sequence[str]]
    chatter: Sequence[str]
    traps: Sequence[str]


EN = Phrases(
    says={
        "lives_in": ["I live in {v}.", "I live in {v} now.", "As you know, I live in {v}, and it's raining.",
                     "I'm living in {v} these days.", "We live in {v}!", "Well, I still live in {v}."],
        "works_as": ["I'm a {v}.", "I work as a {v}.", "I'm a {v}, so I know.", "Hi, I'm still a {v}."],
        "likes": ["I love {v}.", "I really like {v}!", "I'm crazy about {v}.", "I enjoy {v}, as always."],
        "pet": ["My dog {v} sleeps on the sofa.", "I took my dog {v} to the vet.", "Our dog {v} is barking again."],
        "child": ["My daughter {v} started school.", "I'm proud of my daughter {v}.", "My daughter {v} sends her love."],
        "allergic": ["I'm allergic to {v}.", "Careful, I'm badly allergic to {v}!", "I have an allergy to {v}."],
        "speaks": ["I speak {v}.", "I speak fluent {v}.", "I also speak {v}, by the way."],
    },
    denies={"likes": ["I don't like {v} any more.", "I no longer like {v}.", "I've gone off {v}."]},
    values={
        "lives_in": ["Leeds", "Bristol", "Cork", "New Haven", "Glasgow"],
        "works_as": ["nurse", "teacher", "carpenter", "translator", "baker"],
        "likes": ["olives", "green tea", "old maps", "hiking", "jazz"],
        "pet": ["Rex", "Bosun", "Pepper", "Biscuit", "Juno"],
        "child": ["Elsie", "Maya", "Ruth", "Nora", "Iris"],
        "allergic": ["peanuts", "penicillin", "cats", "strawberries", "pollen"],
        "speaks": ["Polish", "Welsh", "Turkish", "Swedish", "Hindi"],
    },
    chatter=["Ha, that's great!", "How was your day?", "See you later then.", "It rained all morning.", "Good night!",
             "The bus was late again.", "Thanks a lot!", "No idea, ask the others.", "I'm tired.", "I'm on my way.",
             "I'm a bit late.", "We're nearly there.", "I've had enough for today.", "What a mess."],
    traps=["Do you live in {lives_in}?", "If I lived in {lives_in}, I'd buy a boat.", "I would love to live in {lives_in}.",
           "> I live in {lives_in}", "She says I live in {lives_in}.", "I live in {lives_in} in my dreams, haha.",
           "Maybe I'm allergic to {allergic}.", "My boss thinks I'm a {works_as}.", "```\nI'm a {works_as}.\n```",
           "/remember I love {likes}", "Who said \"I hate {likes}\"?", "I wish I spoke {speaks}.",
           "Imagine I'm a {works_as} 😂", "I love it.", "I love you.", "I live for this."],
)  # fmt: skip
DE = Phrases(
    says={
        "lives_in": ["Ich wohne in {v}.", "Ich lebe jetzt in {v}.", "Übrigens, ich wohne in {v}, da regnet es.",
                     "Seit Jahren wohne ich in {v}.", "Wir wohnen in {v}!"],
        "works_as": ["Ich bin {v}.", "Ich arbeite als {v}.", "Ich bin ja {v}, ich weiß das."],
        "likes": ["Ich mag {v}.", "Ich liebe {v}!", "Ich mag wirklich {v}."],
        "pet": ["Mein Hund {v} schläft.", "Ich war mit meinem Hund {v} draußen.", "Unser Hund {v} bellt schon wieder."],
        "child": ["Meine Tochter {v} kommt in die Schule.", "Ich bin stolz auf meine Tochter {v}."],
        "allergic": ["Ich bin allergisch gegen {v}.", "Achtung, ich bin gegen {v} allergisch!"],
        "speaks": ["Ich spreche {v}.", "Ich spreche fließend {v}."],
    },
    denies={"likes": ["Ich mag {v} nicht mehr.", "Ich mag kein {v}.", "Ich mag {v} nicht."]},
    values={
        "lives_in": ["Kassel", "Bremen", "Graz", "Leipzig", "Bern"],
        "works_as": ["Lehrerin", "Tischler", "Hebamme", "Informatiker", "Gärtnerin"],
        "likes": ["Lakritz", "Rhabarber", "Marzipan", "Popcorn", "Gulasch"],
        "pet": ["Rex", "Bello", "Waldi", "Lumpi", "Hasso"],
        "child": ["Lina", "Emmi", "Kathrin", "Jule", "Marie"],
        "allergic": ["Nüsse", "Penicillin", "Katzen", "Erdbeeren", "Pollen"],
        "speaks": ["Polnisch", "Türkisch", "Arabisch", "Dänisch", "Spanisch"],
    },
    chatter=["Ha, wie schön!", "Wie war dein Tag?", "Bis später dann.", "Es hat den ganzen Morgen geregnet.",
             "Gute Nacht!", "Der Bus war wieder zu spät.", "Danke dir!", "Ich bin müde.", "Ich bin gleich da.",
             "Ich habe keine Ahnung.", "Ich mag nicht mehr.", "Sehr gern!", "Was für ein Durcheinander."],
    traps=["Wohnst du in {lives_in}?", "Wenn ich in {lives_in} wohne, kaufe ich ein Boot.",
           "Ich würde gern in {lives_in} leben.", "> Ich wohne in {lives_in}", "Er sagt, ich wohne in {lives_in}.",
           "Ich wohne in {lives_in}, haha.", "Vielleicht bin ich allergisch gegen {allergic}.",
           "Meine Chefin glaubt, ich bin {works_as}.", "```\nIch bin {works_as}.\n```", "/merke Ich mag {likes}",
           "Wer hat gesagt: „Ich hasse {likes}“?", "Ich wäre gern {works_as}.", "Ich bin {works_as} 😂",
           "Ich liebe es.", "Ich mag dich."],
)  # fmt: skip
FR = Phrases(
    says={
        "lives_in": ["J'habite à {v}.", "J'habite maintenant à {v}.", "Tu sais, j'habite à {v}, il pleut.",
                     "Je vis à {v}.", "On habite à {v} !"],
        "works_as": ["Je suis {v}.", "Je travaille comme {v}.", "Moi, je suis {v}, je connais ça."],
        "likes": ["J'adore {v}.", "J'aime beaucoup {v} !", "J'aime vraiment {v}."],
        "pet": ["Mon chien {v} dort.", "J'ai promené mon chien {v}.", "Notre chien {v} aboie encore."],
        "child": ["Ma fille {v} entre à l'école.", "Je suis fière de ma fille {v}."],
        "allergic": ["Je suis allergique aux {v}.", "Attention, je suis très allergique aux {v} !"],
        "speaks": ["Je parle {v}.", "Je parle couramment {v}."],
    },
    denies={"likes": ["Je n'aime plus {v}.", "Je n'aime pas {v}.", "Je déteste {v}."]},
    values={
        "lives_in": ["Lyon", "Nantes", "Arbois", "Rennes", "Liège"],
        "works_as": ["infirmière", "menuisier", "traductrice", "boulanger", "professeur"],
        "likes": ["les olives", "le thé vert", "la randonnée", "le jazz", "les vieilles cartes"],
        "pet": ["Rex", "Roquette", "Moustique", "Filou", "Plume"],
        "child": ["Lucie", "Odile", "Inès", "Manon", "Colombe"],
        "allergic": ["noix", "fraises", "chats", "pollens", "crevettes"],
        "speaks": ["polonais", "arabe", "turc", "espagnol", "danois"],
    },
    chatter=["Ha, super !", "Ta journée, ça va ?", "À plus tard alors.", "Il a plu toute la matinée.", "Bonne nuit !",
             "Le bus était encore en retard.", "Merci beaucoup !", "Je suis fatiguée.", "J'arrive.",
             "Je n'en sais rien.", "J'adore !", "Quel bazar.", "On se voit demain."],
    traps=["Tu habites à {lives_in} ?", "Si j'habite à {lives_in} un jour, j'achète un bateau.",
           "J'aimerais vivre à {lives_in}.", "> J'habite à {lives_in}", "Elle dit que j'habite à {lives_in}.",
           "J'habite à {lives_in}, mdr.", "Je suis peut-être allergique aux {allergic}.",
           "Mon chef pense que je suis {works_as}.", "```\nJe suis {works_as}.\n```", "/retiens J'adore {likes}",
           "Qui a dit « Je déteste {likes} » ?", "Je voudrais être {works_as}.", "Je suis {works_as} 😂",
           "J'adore ça.", "Je t'aime."],
)  # fmt: skip
ES = Phrases(
    says={
        "lives_in": ["Vivo en {v}.", "Ahora vivo en {v}.", "Por cierto, vivo en {v}, y llueve.",
                     "Yo vivo en {v} desde 2019.", "¡Vivimos en {v}!"],
        "works_as": ["Soy {v}.", "Trabajo como {v}.", "Yo soy {v}, así que lo sé."],
        "likes": ["Me gusta {v}.", "¡Me encanta {v}!", "A mí me gusta mucho {v}."],
        "pet": ["Mi perro {v} está dormido.", "He sacado a mi perro {v}.", "Nuestro perro {v} ladra otra vez."],
        "child": ["Mi hija {v} empieza el colegio.", "Estoy orgullosa de mi hija {v}."],
        "allergic": ["Soy alérgica a las {v}.", "Cuidado, soy muy alérgica a las {v}."],
        "speaks": ["Hablo {v}.", "También hablo {v}."],
    },
    denies={"likes": ["Ya no me gusta {v}.", "No me gusta {v}.", "No soporto {v}."]},
    values={
        "lives_in": ["Salamanca", "Vigo", "Toro", "Granada", "Rosario"],
        "works_as": ["enfermera", "carpintero", "traductora", "panadero", "maestra"],
        "likes": ["el té verde", "la lluvia", "el jazz", "el senderismo", "la canela"],
        "pet": ["Trasto", "Coma", "Luna", "Rocky", "Canela"],
        "child": ["Vega", "Lucía", "Martina", "Alba", "Noa"],
        "allergic": ["nueces", "fresas", "gambas", "almendras", "avispas"],
        "speaks": ["polaco", "gallego", "turco", "inglés", "danés"],
    },
    chatter=["¡Ja, qué bien!", "¿Qué tal el día?", "Hasta luego entonces.", "Ha llovido toda la mañana.",
             "¡Buenas noches!", "El autobús llegó tarde otra vez.", "¡Muchas gracias!", "Estoy cansada.", "Ya voy.",
             "No tengo ni idea.", "¡Me encanta!", "Menudo lío.", "Nos vemos mañana."],
    traps=["¿Vives en {lives_in}?", "Si vivo en {lives_in} algún día, me compro un barco.",
           "Me gustaría vivir en {lives_in}.", "> Vivo en {lives_in}", "Ella dice que vivo en {lives_in}.",
           "Vivo en {lives_in}, jajaja.", "Quizá soy alérgica a las {allergic}.", "Mi jefe cree que soy {works_as}.",
           "```\nSoy {works_as}.\n```", "/recuerda Me gusta {likes}", "¿Quién dijo «odio {likes}»?",
           "Ojalá fuera {works_as}.", "Soy {works_as} 😂", "Me encanta eso.", "Te quiero."],
)  # fmt: skip
PHRASES = {"en": EN, "de": DE, "fr": FR, "es": ES}
