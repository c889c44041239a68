"""Words that say nothing of what a text is about, by language; they also tell which language it is.

Each list is of function words, the commonest verbs, and what parts of words an apostrophe leaves.
"""

_ENGLISH = """
a about above after again against ain all also am an and any anyone anything are aren as at away
be because been before being below between both but by can cannot could couldn d did didn do
does doesn doing don done down during each either else even ever every everyone everything few
for from further get gets getting give go goes going gone gonna got gotten had hadn has hasn
have haven having he her here hers herself him himself his how however i if in into is isn it
its itself just know let like ll m made make makes many may maybe me might mine more most much
must my myself need no nor not now of off oh ok okay on once one only onto or other our ours
ourselves out over own quite re really s said same say says shall she should shouldn since so
some someone something somewhere still such t take than that the their theirs them themselves
then there these they thing things this those though through to too under until up upon us ve
very was wasn way we well were weren what whatever when where whether which while who whom whose
why will with within without won would wouldn yeah yes yet you your yours yourself yourselves
"""

_GERMAN = """
aber ach alle allem allen aller alles als also am an ander andere anderem anderen anderer
anderes auch auf aus bei beide beim bin bis bist da dabei dafür damit daran darauf darüber dann
das dass dazu dein deine deinem deinen deiner deines dem den denn der deren des dessen dich die
dies diese diesem diesen dieser dieses dir doch dort du durch eben ein eine einem einen einer
eines einfach einige einmal er es etwas euch euer eure eurem euren für gar gegen gehabt genau
gerade gern gibt ging ganz hab habe haben hast hat hatte hatten hier hin hinter ich ihm ihn
ihnen ihr ihre ihrem ihren ihrer ihres im immer in ins irgendwie ist ja jede jedem jeden jeder
jedes jemand jetzt kann kannst kein keine keinem keinen keiner können könnte machen mach macht
mal man mehr mein meine meinem meinen meiner meines mich mir mit muss müssen na nach nein nicht
nichts noch nun nur ob oder oh ohne schon sehr sein seine seinem seinen seiner seines seit
selbst sich sie sind so solche soll sollte sondern sonst über um und uns unser unsere unserem
unseren unserer unter viel vielleicht vom von vor war waren warst warum was weg weil welche
welchem welchen welcher welches wem wen wenn wer werde werden wessen wie wieder will wir wird
wirklich wirst wo wofür woher wohin womit worüber wollen wollte würde würden wurde wurden zu zum
zur zwar zwischen
"""

_FRENCH = """
a afin ah ai aie ainsi alors après as assez au aucun aucune aussi autre autres aux avais avait
avant avec avez avoir avons beaucoup bien bon c ça car ce ceci cela celle celles celui ces cet
cette ceux chaque chez ci comme comment d dans de déjà depuis des dès deux dit dire dois doit
donc dont du elle elles en encore entre es est et étaient étais était été être eu eux fais fait
faire faut il ils j jamais je jusqu jusque juste l là la laquelle le lequel les lesquelles
lesquels leur leurs lors lui m ma mais me même mêmes mes moi moins mon n ne ni non nos notre
nous on ont ou où oui par parce parmi pas pendant peu peut peux plus plutôt pour pourquoi
pourrait puis qu quand que quel quelle quelles quelqu quelque quelques quels qui quoi rien s sa
sans sauf se sera serait ses si soit son sont sous suis sur surtout t ta tandis tant te tes toi
ton toujours tous tout toute toutes très trop tu un une va vais vas vers veut veux voilà vos
votre vous vraiment vu y
"""

_SPANISH = """
a ah ahí ahora al algo alguien algún alguna algunas alguno algunos allí ante antes aquel aquella
aquí así aún aunque bien bueno cada casi como cómo con contra cosa cosas cual cuál cuáles cuando
cuándo cuánta cuántas cuánto cuántos de del desde después donde dónde dos durante e el él ella
ellas ellos en entonces entre era eran eres es esa esas ese eso esos esta está estaba estaban
estado estamos están estar estas estás este esto estos estoy fue fueron ha había habían hace
hacer hacia han has hasta hay haya he hemos hizo iba ir la las le les lo los luego más me mi mí
mientras mis mucha muchas mucho muchos muy nada ni ningún ninguna no nos nosotros nuestra
nuestras nuestro nuestros nunca o oh os otra otras otro otros para pero poco por porque pues
puede puedo que qué quien quién quienes se sé sea ser será si sí sido siempre sin sino sobre
solo sólo son soy su sus tal también tampoco tan tanto te tenemos tengo ti tiene tienen todo
toda todas todos tu tú tus tuve tuvo un una unas uno unos va vamos van voy vosotros y ya yo
"""

STOPWORDS: dict[str, frozenset[str]] = {
    "english": frozenset(_ENGLISH.split()),
    "german": frozenset(_GERMAN.split()),
    "french": frozenset(_FRENCH.split()),
    "spanish": frozenset(_SPANISH.split()),
}
"""By the name that the stemmers have for the language, in lower case, with accents."""
