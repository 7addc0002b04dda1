"""The settings of an experiment, frozen and checked where they are built.

Every field is annotated with a Knob (a range) or a Choice (named options): the control, the range
check, the help text and the command line option all follow from that one line. Standard library
only, so that any process can read settings without paying for more.
"""

import dataclasses
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, NamedTuple, get_type_hints

from rnnviz.errors import ConfigError


class Knob(NamedTuple):
    """A number's range, ends included, and what it is for."""

    low: float
    high: float
    help: str
    unit: str = ""


class Choice(NamedTuple):
    """Options by stored value, with the words that people see, and what it is for."""

    options: Mapping[str, str]
    help: str


class Switch(NamedTuple):
    """On or off, and what it is for."""

    help: str


class Text(NamedTuple):
    """A short text such as a name, and what it is for."""

    longest: int
    help: str


Rule = Knob | Choice | Switch | Text


class Setting(NamedTuple):
    """One field of a settings class with its rule."""

    name: str
    type: type
    default: Any
    rule: Rule


def settings_of(cls: type) -> Iterator[Setting]:
    """The fields of a settings class that carry a rule, in order."""
    hints = get_type_hints(cls, include_extras=True)
    for f in dataclasses.fields(cls):
        rules = getattr(hints[f.name], "__metadata__", ())
        if rules:
            yield Setting(f.name, hints[f.name].__origin__, f.default, rules[0])


def _check(setting: Setting, value: Any) -> None:
    """Raises ConfigError where the value breaks the setting's rule."""
    name, rule = setting.name, setting.rule
    if isinstance(rule, Knob):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        whole = setting.type is not int or isinstance(value, int)
        if not (number and whole and math.isfinite(value) and rule.low <= value <= rule.high):
            kind = "a whole number" if setting.type is int else "a number"
            unit = f" {rule.unit}" if rule.unit else ""
            bounds = f"[{rule.low:.10g}, {rule.high:.10g}]{unit}"
            raise ConfigError(f"{name} is {value!r}; it must lie in {bounds} and be {kind}")
    elif isinstance(rule, Choice):
        if value not in rule.options:
            options = ", ".join(repr(option) for option in rule.options)
            raise ConfigError(f"{name} is {value!r}; choose one of {options}")
    elif isinstance(rule, Switch):
        if not isinstance(value, bool):
            raise ConfigError(f"{name} is {value!r}; it must be true or false")
    elif not isinstance(value, str) or len(value) > rule.longest:
        raise ConfigError(f"{name} must be a text of at most {rule.longest} characters")


class _Checked:
    """Checks every field against its rule when an instance is built."""

    def __post_init__(self) -> None:
        for setting in settings_of(type(self)):
            _check(setting, getattr(self, setting.name))


SOURCES = {
    "nhanes": "NHANES activity (simulated)",
    "text": "Text",
    "series": "A random walk (a series)",
    "phrases": "Phrases, good or bad",
    "world": "A small world, answer known",
    "file": "My own file",
}
SUGGESTED: Mapping[str, Mapping[str, Any]] = {  # where a source wants other settings to begin with
    "text": {"attention": "none", "batch_size": 8, "epochs": 60, "learning_rate": 0.005},
    "series": {"window": 20, "attention": "none", "batch_size": 16, "epochs": 60},
    "phrases": {"cell": "rnn", "attention": "none", "batch_size": 4, "epochs": 60},
}
GRAMMARS = {  # the keys of GRAMMARS in rnnviz.data.sources
    "small": "78 phrases of 18 words",
    "reviews": "reviews with negations and contrasts",
}
OF_GRAMMAR: Mapping[str, Mapping[str, Any]] = {  # the same of the phrases, by their grammar
    "small": SUGGESTED["phrases"],
    "reviews": {"sequences": 2000, "epochs": 12, "learning_rate": 0.01},
}
WORLD_NAMES = {  # the keys of WORLDS (rnnviz.data.worlds), which holds their suggested settings
    "namaskar": "namaskar, letter by letter",
    "brackets": "brackets: the next symbol",
    "depth": "brackets: how deep",
    "echo": "the delayed echo",
    "copy": "the copy task",
    "adding": "the adding problem",
    "names": "Jane said hi to John",
    "entities": "names, places and dates, tagged",
    "sines": "noisy sines, foretold",
    "wave": "a wave, drawn",
    "angle": "a sine from its angle",
}
SAMPLES = {  # the keys of SAMPLES in rnnviz.data.builtin
    "lighthouse": "The lighthouse, 7,000 characters",
    "log": "A signal log, 60,000 characters",
    "program": "A made-up program, 60,000 characters",
    "topics": "Python's documentation, 400,000 characters",
    "library": "Python's library, 400,000 characters",
}
TOKENS = {
    "characters": "characters",
    "words": "words",
    "pieces": "pieces (byte pairs)",
}
BLOCKS = {
    "144x1": "144 steps of 10-minute means",
    "24x60": "24 steps of 60 minutes",
    "1440x1": "1440 steps of 1 minute",
}
SCALES = {
    "log1p+standard": "log(1 + x), standardised",
    "standard": "standardised",
    "log1p": "log(1 + x)",
    "raw": "raw",
}
LAYOUT_NAMES = {  # the keys of LAYOUTS and KINDS (rnnviz.data.layouts and kinds), and auto
    "auto": "recognised",
    "wide": "a row per person, a column per minute",
    "person-days": "a row per day, a column per minute",
    "physionet": "days of PhysioNet (PAXDAYM, min_1 ...)",
    "long": "a row per minute",
    "transposed": "a column per person",
    "people": "people without minutes",
    "series": "a series of values in time",
    "labelled": "texts with labels",
    "pairs": "pairs of texts (source, target)",
}
NOBODY = "(none)"  # in place of a column's name
MISSING = {
    "mask": "take as 0 and mark as not worn",
    "interpolate": "interpolate within the day",
    "drop": "leave out the day",
}
FORETOLD = {"value": "the value", "difference": "its difference to the last one"}
SATURATION = {
    "keep": "keep",
    "cap": "take as the largest count below",
    "missing": "take as missing",
}


@dataclass(frozen=True, kw_only=True)
class DataConfig(_Checked):
    """What is learned from: the source, and how its rows become sequences."""

    source: Annotated[str, Choice(SOURCES, "Where the sequences come from.")] = "nhanes"
    people: Annotated[int, Knob(30, 20_000, "How many people the simulator makes.")] = 800
    days: Annotated[int, Knob(1, 7, "Days of each simulated person.")] = 1
    blocks: Annotated[
        str, Choice(BLOCKS, "How a day becomes a sequence: the steps, and the values in each.")
    ] = "144x1"
    scale: Annotated[
        str,
        Choice(
            SCALES,
            "What the network sees of each value. Standardising takes the mean and the standard "
            "deviation of the training part only.",
        ),
    ] = "log1p+standard"
    file: Annotated[str, Text(80, "The uploaded file or pasted text, by its server-made id.")] = ""
    table: Annotated[str, Text(200, "The object inside the file.")] = ""
    target: Annotated[str, Text(200, "The column to predict.")] = ""
    person: Annotated[
        str,
        Text(200, f"The column that names the person; {NOBODY}: each row is its own person."),
    ] = ""
    layout: Annotated[str, Choice(LAYOUT_NAMES, "How the table of an own file is laid out.")] = (
        "auto"
    )
    covariate_columns: Annotated[
        str,
        Text(2000, f"The columns that are known of people, with | between; {NOBODY}: no column."),
    ] = ""
    join: Annotated[
        str, Text(80, "A second file with what is known of people, joined by the person.")
    ] = ""
    missing: Annotated[str, Choice(MISSING, "What is done about minutes without a value.")] = "mask"
    saturation: Annotated[
        str,
        Choice(SATURATION, "What is done about counts of 32767, where the device saturates."),
    ] = "keep"
    mask: Annotated[
        bool,
        Switch("The network also reads which share of each step the device was worn."),
    ] = False
    sample: Annotated[str, Choice(SAMPLES, "Which built-in text, where none is given.")] = (
        "lighthouse"
    )
    tokens: Annotated[
        str,
        Choice(
            TOKENS,
            "What one step of a text is. Pieces are runs of bytes that are learned from the "
            "text: what often stands together becomes one.",
        ),
    ] = "characters"
    pieces: Annotated[
        int,
        Knob(256, 2000, "How many pieces there are: the 256 bytes, and one more for each merge."),
    ] = 512
    carried: Annotated[
        bool,
        Switch(
            "The state goes on from each window of a text to the next one, in training and in "
            "scoring; gradients do not. The text is then split in its order: training, validation, "
            "test. Off: each window begins with a state of zeros, and windows are shuffled."
        ),
    ] = False
    window: Annotated[
        int, Knob(8, 512, "Steps of one sequence: tokens of a text, or values of a series.")
    ] = 64
    horizon: Annotated[
        int, Knob(1, 512, "How many steps after a window's last value the foretold one comes.")
    ] = 1
    foretold: Annotated[str, Choice(FORETOLD, "What of a series is predicted.")] = "value"
    grammar: Annotated[
        str, Choice(GRAMMARS, "Which rule makes the phrases, and says what they mean.")
    ] = "small"
    world: Annotated[
        str, Choice(WORLD_NAMES, "Data made by a rule, so that the best answer is known.")
    ] = "namaskar"
    sequences: Annotated[int, Knob(50, 20_000, "How many sequences the rule makes.")] = 1000
    delay: Annotated[
        int, Knob(1, 200, "How many steps lie between what decides an answer and the answer.")
    ] = 8


def source_name(data: DataConfig) -> str:
    """What the source is called: of the small worlds the world itself."""
    if data.source == "phrases" and data.grammar == "reviews":
        return "Reviews, good or bad"
    return WORLD_NAMES[data.world] if data.source == "world" else SOURCES[data.source]


def suggested_for(source: str, grammar: str) -> Mapping[str, Any]:
    """The settings that a source begins with; of the small worlds see WORLDS."""
    return OF_GRAMMAR[grammar] if source == "phrases" else SUGGESTED.get(source, {})


CELL_NAMES = {  # the keys of rnnviz.cells.CELLS
    "lstm": "LSTM",
    "gru": "GRU",
    "rnn": "RNN (tanh)",
    "rnn-relu": "RNN (ReLU)",
    "gru-before": "GRU, reset before the product",
    "lstm-relu": "LSTM with ReLU and hard sigmoid",
    "lstm-relu-sigmoid": "LSTM with ReLU",
    "lstm-hard": "LSTM with hard sigmoid",
    "gru-before-hard": "GRU, reset before the product, hard sigmoid",
}
STARTS = {"uniform": "uniform, as torch", "identity": "the identity (plain RNNs)"}
PARALLEL_NAMES = {  # the keys of PARALLEL in rnnviz.data.parallel
    "dates": "dates → 1979-05-03",
    "numbers": "number words → digits",
    "reversal": "letters, back to front",
    "sorting": "letters, sorted",
    "phrases": "English phrases → Marish",
    "file": "my own pairs",
}
DECODER_READS = {
    "state": "its own state only",
    "token": "the token before as well",
    "all": "the token before and the encoder's last state",
}
ATTENTIONS = {"none": "none", "dot": "dot", "general": "general", "additive": "additive"}


@dataclass(frozen=True, kw_only=True)
class ModelConfig(_Checked):
    """The network."""

    cell: Annotated[
        str,
        Choice(
            CELL_NAMES,
            "The recurrent cell. GRU follows torch and Keras (reset after the matrix product); the "
            "other GRUs follow the original paper and the cheat sheet. Those, and LSTMs with ReLU "
            "or hard sigmoid, have no fused kernel: they train by a step loop and are slower.",
        ),
    ] = "lstm"
    hidden_size: Annotated[int, Knob(1, 512, "Units of each layer and direction.")] = 32
    layers: Annotated[int, Knob(1, 4, "Recurrent layers, each reading the one below.")] = 1
    bidirectional: Annotated[bool, Switch("A second network reads each sequence from its end.")] = (
        False
    )
    embedding: Annotated[
        int, Knob(0, 512, "Numbers that stand for a token of a text; 0: one-hot, as wide as V.")
    ] = 0
    dropout: Annotated[
        float, Knob(0.0, 0.9, "Share of each layer's outputs set to zero while training.")
    ] = 0.0
    recurrent_start: Annotated[
        str,
        Choice(
            STARTS,
            "How the recurrent weights of a plain RNN begin. The identity with biases 0 hands the "
            "state on as it is (Le, Jaitly and Hinton 2015, for ReLU). Cells with gates begin as "
            "usual.",
        ),
    ] = "uniform"
    attention: Annotated[
        str,
        Choice(
            ATTENTIONS,
            "Attention over time between the top layer and the head: how a step's score is made.",
        ),
    ] = "additive"
    covariates: Annotated[
        bool, Switch("Age, sex and the like join before the head, after the recurrent layers.")
    ] = False


class Dense(NamedTuple):
    """A layer between what the recurrent layers say and the head, as in files of other programs."""

    units: int
    activation: str  # one of ACTIVATIONS


ACTIVATIONS = ("linear", "relu", "tanh", "sigmoid")


OPTIMISERS = {"adam": "Adam", "sgd": "SGD", "rmsprop": "RMSprop"}


@dataclass(frozen=True, kw_only=True)
class TrainingConfig(_Checked):
    """How the network learns."""

    optimiser: Annotated[str, Choice(OPTIMISERS, "The rule that turns gradients into steps.")] = (
        "adam"
    )
    learning_rate: Annotated[
        float, Knob(1e-6, 10.0, "Size of a step; may be changed while a run goes on.")
    ] = 3e-3
    batch_size: Annotated[int, Knob(1, 1024, "Sequences in one step.")] = 32
    epochs: Annotated[int, Knob(1, 10_000, "Passes over the training part.")] = 20
    clip_norm: Annotated[
        float, Knob(0.0, 1000.0, "Gradients longer than this are shortened to it; 0 is off.")
    ] = 1.0
    patience: Annotated[
        int,
        Knob(0, 1000, "Stop after so many epochs without a lower validation loss; 0 is never."),
    ] = 0
    seed: Annotated[
        int, Knob(0, 2**31 - 1, "Decides the split, the first weights and every shuffle.")
    ] = 0


@dataclass(frozen=True, kw_only=True)
class StudyConfig(_Checked):
    """What the study asks beside a network's settings."""

    splits: Annotated[
        int,
        Knob(
            2,
            20,
            "How often the people are split anew and all is trained again; more splits "
            "give narrower intervals and take longer.",
        ),
    ] = 5


@dataclass(frozen=True, kw_only=True)
class TranslationConfig(_Checked):
    """What a sequence-to-sequence network asks beside a network's settings."""

    parallel: Annotated[str, Choice(PARALLEL_NAMES, "The pairs that are learned from.")] = "dates"
    pairs: Annotated[int, Knob(100, 20_000, "How many pairs the rule makes.")] = 4000
    shared_weights: Annotated[
        bool, Switch("Encoder and decoder are one network; else each has weights of its own.")
    ] = False
    decoder_reads: Annotated[
        str, Choice(DECODER_READS, "What the decoder is told at each step, beside its own state.")
    ] = "token"
    reversed_input: Annotated[
        bool,
        Switch("The encoder reads each source from its end, so that its first words are near."),
    ] = False
    teacher_forcing: Annotated[
        float,
        Knob(
            0.0,
            1.0,
            "How often the decoder reads the true token before, and not its own, while it trains; "
            "may be changed while a run goes on.",
        ),
    ] = 1.0


METHODS = {"skipgram": "skip-gram", "cbow": "CBOW", "glove": "GloVe"}
CORPORA = {"grammar": "An invented text with analogies", **SAMPLES, "own": "My own text"}


@dataclass(frozen=True, kw_only=True)
class VectorsConfig(_Checked):
    """How words become vectors."""

    corpus: Annotated[str, Choice(CORPORA, "The text whose words get vectors.")] = "grammar"
    text_words: Annotated[
        int, Knob(2_000, 300_000, "Words of the invented text; of a shorter one less is learned.")
    ] = 100_000
    method: Annotated[
        str,
        Choice(
            METHODS,
            "Skip-gram foretells each neighbour from the word, CBOW the word from the mean of its "
            "neighbours, both against drawn words. GloVe fits the logarithm of how often two words "
            "stand beside each other.",
        ),
    ] = "skipgram"
    dimensions: Annotated[int, Knob(2, 128, "Numbers in a word's vector.")] = 50
    context: Annotated[
        int,
        Knob(
            1,
            10,
            "Neighbours on each side at most. word2vec draws for each word how many it takes; "
            "GloVe weights them by 1 / distance.",
        ),
    ] = 5
    negatives: Annotated[
        int, Knob(1, 20, "Drawn words that each true one is told apart from (not GloVe).")
    ] = 5
    subsample: Annotated[
        float,
        Knob(
            0.0,
            0.1,
            "A word of share f of the text is kept with probability sqrt(t / f) each time; this "
            "is t, and 0 keeps all (not GloVe).",
        ),
    ] = 3e-3
    min_count: Annotated[
        int, Knob(1, 100, "Words that stand in the text less often get no vector.")
    ] = 3
    x_max: Annotated[
        float,
        Knob(1.0, 1000.0, "Two words beside each other so often or more weigh the same (GloVe)."),
    ] = 10.0


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """One experiment, whole: the same settings give the same numbers on the same machine."""

    data: DataConfig = field(default_factory=DataConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    study: StudyConfig = field(default_factory=StudyConfig)
    translation: TranslationConfig = field(default_factory=TranslationConfig)
    vectors: VectorsConfig = field(default_factory=VectorsConfig)

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """Plain values, ready for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Mapping[str, Any]]) -> "RunConfig":
        """The inverse of to_dict.

        Raises:
            ConfigError: a setting is unknown or outside of its range.
        """
        try:
            return cls(**{name: _PARTS[name](**part) for name, part in values.items()})
        except (KeyError, TypeError) as wrong:
            raise ConfigError(f"these settings are not rnnviz's: {wrong}") from None


def with_settings(values: Mapping[str, Any]) -> RunConfig:
    """The usual settings but for some, whichever part they belong to.

    Raises:
        ConfigError: one is unknown or outside of its range.
    """
    parts: dict[str, dict[str, Any]] = {name: {} for name in _PARTS}
    for name, value in values.items():
        of = (part for part, cls in _PARTS.items() if name in (s.name for s in settings_of(cls)))
        part = next(of, None)
        if part is None:
            raise ConfigError(f"there is no setting {name!r}")
        parts[part][name] = value
    return RunConfig.from_dict(parts)


_PARTS: Mapping[str, type] = {
    "data": DataConfig,
    "model": ModelConfig,
    "training": TrainingConfig,
    "study": StudyConfig,
    "translation": TranslationConfig,
    "vectors": VectorsConfig,
}
