"""Words that say nothing about what a text is about."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


STOPWORDS = {
    "de": _words(
        """
        aber alle als am an auch auf aus bei bin bis da das dass dem den der des die durch ein
        eine einem einen einer eines er es für haben hat ich ihr im in ist ja jeder kann mit
        nach nicht niemand noch nur oder ohne sich sie sind so um und uns von vor war was wenn
        wer wie wir wird zu zum zur über
        """
    ),
    "en": _words(
        """
        a about after all also an and any are as at be because been but by can could did do does
        for from had has have he her his how i if in into is it its just like may me more most
        my no nor not now of on one only or other our out over shall she should so some such
        than that the their them then there these they this those to under until up very was we
        were what when where which while who will with would you your
        """
    ),
    "es": _words(
        """
        a al como con de del el ella en es esta este ha la las lo los más ni no o para pero por
        que se si sin sobre son su sus también todo un una y ya
        """
    ),
    "fr": _words(
        """
        a au aux avec ce ces cette d dans de des du elle en est et il ils je l la le les leur
        lui mais ne ni nous on ou par pas plus pour qu que qui sa se ses son sont sur tous toute
        un une vous y à être
        """
    ),
    "it": _words(
        """
        a ad al alla anche che chi come con da dei del della di e ed gli ha i il in la le lo ma
        nel nella non o ogni per più se si sono su tra un una uno è
        """
    ),
    "nl": _words(
        """
        aan al alle als bij dat de den der deze die dit door een en er geen heeft hem het hij
        hun ik in is je maar me met naar niet nog of om ook op te tot uit van voor was wat we
        wie zij zijn zo zonder
        """
    ),
    "pt": _words(
        """
        a ao aos as com como da das de do dos e ela ele em entre essa esta este eu foi mais mas
        na nas no nos não o os ou para pela pelo por que se sem seu sua são também um uma à
        """
    ),
    "sv": _words(
        """
        alla att av de den denna det detta du eller en ett från får för han har hon i inte jag
        kan man med men mot nu när någon och om på sig som så till under ut utan var vi är
        """
    ),
}
