"""The first articles of the Universal Declaration of Human Rights, from which languages are learnt.

The Declaration (United Nations, 1948) and its translations are in the public domain.
"""

SAMPLES = {
    "de": (
        "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft "
        "und Gewissen begabt und sollen einander im Geist der Brüderlichkeit begegnen. Jeder hat "
        "Anspruch auf die in dieser Erklärung verkündeten Rechte und Freiheiten ohne irgendeinen "
        "Unterschied, etwa nach Rasse, Hautfarbe, Geschlecht, Sprache, Religion, politischer oder "
        "sonstiger Überzeugung, nationaler oder sozialer Herkunft, Vermögen, Geburt oder sonstigem "
        "Stand. Jeder hat das Recht auf Leben, Freiheit und Sicherheit der Person. Niemand darf in "
        "Sklaverei oder Leibeigenschaft gehalten werden."
    ),
    "en": (
        "All human beings are born free and equal in dignity and rights. They are endowed with "
        "reason and conscience and should act towards one another in a spirit of brotherhood. "
        "Everyone is entitled to all the rights and freedoms set forth in this Declaration, "
        "without distinction of any kind, such as race, colour, sex, language, religion, political "
        "or other opinion, national or social origin, property, birth or other status. Everyone "
        "has the right to life, liberty and security of person. No one shall be held in slavery or "
        "servitude."
    ),
    "es": (
        "Todos los seres humanos nacen libres e iguales en dignidad y derechos y, dotados como "
        "están de razón y conciencia, deben comportarse fraternalmente los unos con los otros. "
        "Toda persona tiene los derechos y libertades proclamados en esta Declaración, sin "
        "distinción alguna de raza, color, sexo, idioma, religión, opinión política o de cualquier "
        "otra índole, origen nacional o social, posición económica, nacimiento o cualquier otra "
        "condición. Todo individuo tiene derecho a la vida, a la libertad y a la seguridad de su "
        "persona. Nadie estará sometido a esclavitud ni a servidumbre."
    ),
    "fr": (
        "Tous les êtres humains naissent libres et égaux en dignité et en droits. Ils sont doués "
        "de raison et de conscience et doivent agir les uns envers les autres dans un esprit de "
        "fraternité. Chacun peut se prévaloir de tous les droits et de toutes les libertés "
        "proclamés dans la présente Déclaration, sans distinction aucune, notamment de race, de "
        "couleur, de sexe, de langue, de religion, d'opinion politique ou de toute autre opinion, "
        "d'origine nationale ou sociale, de fortune, de naissance ou de toute autre situation. "
        "Tout individu a droit à la vie, à la liberté et à la sûreté de sa personne. Nul ne sera "
        "tenu en esclavage ni en servitude."
    ),
    "it": (
        "Tutti gli esseri umani nascono liberi ed eguali in dignità e diritti. Essi sono dotati di "
        "ragione e di coscienza e devono agire gli uni verso gli altri in spirito di fratellanza. "
        "Ad ogni individuo spettano tutti i diritti e tutte le libertà enunciate nella presente "
        "Dichiarazione, senza distinzione alcuna, per ragioni di razza, di colore, di sesso, di "
        "lingua, di religione, di opinione politica o di altro genere, di origine nazionale o "
        "sociale, di ricchezza, di nascita o di altra condizione. Ogni individuo ha diritto alla "
        "vita, alla libertà ed alla sicurezza della propria persona. Nessun individuo potrà essere "
        "tenuto in stato di schiavitù o di servitù."
    ),
    "nl": (
        "Alle mensen worden vrij en gelijk in waardigheid en rechten geboren. Zij zijn begiftigd "
        "met verstand en geweten, en behoren zich jegens elkander in een geest van broederschap te "
        "gedragen. Een ieder heeft aanspraak op alle rechten en vrijheden, in deze Verklaring "
        "opgesomd, zonder enig onderscheid van welke aard ook, zoals ras, kleur, geslacht, taal, "
        "godsdienst, politieke of andere overtuiging, nationale of maatschappelijke afkomst, "
        "eigendom, geboorte of andere status. Een ieder heeft het recht op leven, vrijheid en "
        "onschendbaarheid van zijn persoon. Niemand zal in slavernij of horigheid gehouden worden."
    ),
    "pt": (
        "Todos os seres humanos nascem livres e iguais em dignidade e em direitos. Dotados de "
        "razão e de consciência, devem agir uns para com os outros em espírito de fraternidade. "
        "Todos os seres humanos podem invocar os direitos e as liberdades proclamados na presente "
        "Declaração, sem distinção alguma, nomeadamente de raça, de cor, de sexo, de língua, de "
        "religião, de opinião política ou outra, de origem nacional ou social, de fortuna, de "
        "nascimento ou de qualquer outra situação. Todo o indivíduo tem direito à vida, à "
        "liberdade e à segurança pessoal. Ninguém será mantido em escravatura ou em servidão."
    ),
    "sv": (
        "Alla människor är födda fria och lika i värde och rättigheter. De är utrustade med "
        "förnuft och samvete och bör handla gentemot varandra i en anda av broderskap. Var och en "
        "är berättigad till alla de rättigheter och friheter som uttalas i denna förklaring utan "
        "åtskillnad av något slag, såsom på grund av ras, hudfärg, kön, språk, religion, politisk "
        "eller annan uppfattning, nationellt eller socialt ursprung, egendom, börd eller ställning "
        "i övrigt. Var och en har rätt till liv, frihet och personlig säkerhet. Ingen får hållas i "
        "slaveri eller träldom."
    ),
}
