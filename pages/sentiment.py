"""Sentiment and tagging: what is said of a sentence, which words did that, how often it is so."""

from rnnviz.data.dataset import Task
from rnnviz.ui import beginning, judging, sentences, sentiment, tagging
from rnnviz.ui.looking import looking
from rnnviz.ui.sentiment_about import about

if beginning.current_reads_words() and (seen := looking()):
    tags = seen.dataset.task is Task.TAGGING
    marks = (tagging.marks_of if tags else judging.mistakes_of)(seen.survey)
    chosen = sentences.choose(seen, marks)
    if chosen and tags:
        tagging.sentence(seen, chosen)
    elif chosen:
        it = sentiment.read(seen, chosen)
        sentiment.outcome(it)
        sentiment.words(it)
        sentences.edit(chosen, seen.dataset, it.word)
        sentiment.pictures(it)
        sentiment.numbers(it)
    (tagging.all_sentences if tags else judging.all_sentences)(seen)
    about(tags=tags)
