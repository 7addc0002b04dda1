"""Both studies step by step: a few lines of code for each step, and what came of it. No torch.

The R lines do what the study's script does and were written for this page; the Python lines are
what the corrected study calls.
"""

from collections.abc import Callable
from statistics import fmean
from textwrap import dedent
from typing import NamedTuple

from rnnviz.events import Found, RunView
from rnnviz.study.settings import PATIENCE
from rnnviz.study.tables import shown, shown_tiny, unit_of_target
from rnnviz.study.verdict import LSTM, splits_of, values
from rnnviz.study.written import ABOUT, SAVED, WEIGHTS, Findings, summary


class Step(NamedTuple):
    """A step of a study.

    Attributes:
        result: what the run says of it by now, plain text; "" while that is not known.
    """

    title: str
    code: str
    result: Callable[[RunView], str]


def known(view: RunView) -> Findings | None:
    """What a run of the study as written has found in the data."""
    event = told_about(view, ABOUT)
    return None if event is None else Findings.of(event)


def moved(view: RunView) -> Found | None:
    """How many weights training moved, once that is known."""
    return told_about(view, WEIGHTS)


def told_about(view: RunView, what: str) -> Found | None:
    """The event about one thing, None while there is none."""
    return next((found for found in view.found if found.about == what), None)


def _if_known(say: Callable[[Findings], str]) -> Callable[[RunView], str]:
    def result(view: RunView) -> str:
        found = known(view)
        return "" if found is None else say(found)

    return result


def _trained(view: RunView) -> str:
    if not view.epochs:
        return ""
    last = view.epochs[-1]
    return (
        f"After epoch {last.epoch}: train MSE {shown(last.train_loss, 2)}, validation MSE "
        f"{shown(last.validation.metrics['mse'], 2)}."
    )


def _predicted(view: RunView) -> str:
    score = next((s for s in view.scorecard if s.part == "test"), None)
    if score is None:
        return ""
    mse, r = score.metrics["mse"], score.metrics["r"]
    return f"Test MSE {shown(mse, 2)}, correlation {shown(r, 3)}."


def saved(view: RunView) -> str:
    """What came back from the file of the network, once that is known."""
    event = told_about(view, SAVED)
    if event is None:
        return ""
    numbers = event.numbers
    difference = f"{shown_tiny(numbers['difference'])} {unit_of_target(view)}".rstrip()
    return (
        f"A file of {numbers['bytes']:,.0f} bytes with {numbers['weights']:,.0f} weights. The "
        f"network that was loaded from it predicts the same on {numbers['rows']:,.0f} test rows: "
        f"the largest difference is {difference}. The script's Keras 2 has a hard sigmoid of slope "
        "1/5, and so has this training; the file is one of Keras 3, where the slope is 1/6, so the "
        "gates' weights are saved times 6/5."
    )


def _codes(found: Findings) -> str:
    said = f"{found.columns:,} columns of numbers."
    if found.levels < 3:
        return said
    return (
        f"{said} The factor with most levels is an ordered 1 to {found.levels} now, as if the "
        f"last level were {found.levels} times the first."
    )


def _rows(found: Findings) -> str:
    return (
        f"{found.train_rows:,} train and {found.test_rows:,} test rows, the ones that R draws; "
        f"{found.known_rows:,} of the test rows are of people who are in training too."
    )


def _constants(found: Findings) -> str:
    if not found.constant_columns:
        return "No column has a standard deviation of 0 here; one that had would become NaN."
    return f"{found.constant_columns:,} columns with a standard deviation of 0 became NaN."


def _left(found: Findings) -> str:
    return (
        f"Of {found.columns:,} columns {found.columns_read} is left: array() fills its dimensions "
        "column by column and drops the rest. The sequence has one step, which is minute 00:00."
    )


def _code(text: str) -> str:
    return dedent(text).strip()


_READ: tuple[Step, ...] = (
    Step(
        "Read the person-days",
        _code("""
            load("MINdata.rda")
            d <- MINdata_1440
        """),
        _if_known(lambda found: f"{found.rows:,} rows of {found.people:,} people."),
    ),
    Step(
        "Factors become numbers",
        _code("""
            is_f <- sapply(d, is.factor)
            d[is_f] <- lapply(d[is_f], as.integer)
        """),
        _if_known(_codes),
    ),
    Step(
        "Split the rows, 70 to 30",
        _code("""
            set.seed(0)
            part <- sample(2, nrow(d),
                           replace = TRUE,
                           prob = c(.7, .3))
            train <- d[part == 1, ]
            test <- d[part == 2, ]
        """),
        _if_known(_rows),
    ),
    Step(
        "Scale by the train part",
        _code("""
            x <- scale(as.matrix(train[inputs]))
            m <- attr(x, "scaled:center")
            s <- attr(x, "scaled:scale")
            x_new <- scale(as.matrix(test[inputs]),
                           m, s)
        """),
        _if_known(_constants),
    ),
    Step(
        "Make it three-dimensional",
        _code("""
            n <- nrow(x)
            x <- array(x, dim = c(n, 1, 1))
            n_new <- nrow(x_new)
            x_new <- array(x_new, dim = c(n_new, 1, 1))
        """),
        _if_known(_left),
    ),
    Step(
        "Build the network",
        _code("""
            net <- keras_model_sequential() |>
              layer_lstm(256, activation = "relu",
                recurrent_activation = "hard_sigmoid",
                input_shape = c(1, 1)) |>
              layer_dense(4) |>
              layer_dense(1)
            summary(net)
        """),
        lambda _: summary(),
    ),
)
_TRAIN = _code("""
    net |> compile(loss = "mse",
      optimizer = optimizer_adam(0.001),
      metrics = "mae")
    net |> fit(x, train$BMI,
      batch_size = 32, epochs = EPOCHS,
      validation_split = 0.2)
""")
_PREDICT: tuple[Step, ...] = (
    Step(
        "Predict, and compare",
        _code("""
            p <- predict(net, x_new)[, 1]
            mean((p - test$BMI)^2)
            cor(p, test$BMI)
            plot(test$BMI, p)
        """),
        _predicted,
    ),
    Step(
        "Save it, and load it again",
        _code("""
            save_model_hdf5(net, "study.h5")
            again <- load_model_hdf5("study.h5")
            q <- predict(again, x_new)[, 1]
            max(abs(q - p))
        """),
        saved,
    ),
)


def as_written(epochs: int) -> tuple[Step, ...]:
    """The script's steps, trained for so many epochs."""
    return (*_READ, Step("Train it", _TRAIN.replace("EPOCHS", str(epochs)), _trained), *_PREDICT)


def _split_sizes(view: RunView) -> str:
    started = view.started
    if started is None:
        return ""
    people = ", ".join(f"{count:,} {part}" for part, count in started.people.items())
    return f"People of the first split: {people}; none in two parts."


def _parameters(view: RunView) -> str:
    return "" if view.started is None else f"{view.started.parameters:,} weights."


def _over_splits(view: RunView) -> str:
    splits: tuple[Found, ...] = splits_of(view)
    if not splits:
        return ""
    mse, r = (fmean(values(splits, LSTM, metric)) for metric in ("mse", "r"))
    count = f"{len(splits)} split{'s' if len(splits) > 1 else ''}"
    return f"LSTM over {count}: test MSE {shown(mse, 2)}, correlation {shown(r, 3)}."


_PREPARE: tuple[Step, ...] = (
    Step(
        "Split the people, not the rows",
        _code("""
            # 64, 16 and 20 % of the people
            split = split_by_id(days.ids, seed)
        """),
        _split_sizes,
    ),
    Step(
        "Keep the whole day as a sequence",
        _code("""
            # 144 steps: the mean of each 10 minutes
            x = as_sequences(days, data).inputs
            # a column that is constant becomes 0
            x = Scaler.fit(x[split.train])(x)
        """),
        lambda _: "All 1,440 minutes are read, as log(1 + counts).",
    ),
    Step(
        "One column for each level; join them after the LSTM",
        _code("""
            ModelConfig(cell="lstm", hidden_size=32,
                        attention="additive",
                        covariates=True)
        """),
        _parameters,
    ),
)


def corrected(epochs: int, splits: int) -> tuple[Step, ...]:
    """What is done instead, with at most so many epochs on each of so many splits."""
    return (
        *_PREPARE,
        Step(
            "Stop where validation is best",
            _code(f"""
                # validation: other people, at random
                TrainingConfig(epochs={epochs}, patience={PATIENCE})
            """),
            lambda _: "Adam, gradients clipped at norm 1, weights of the best epoch.",
        ),
        Step(
            "Beside it, all that knows less, over several splits",
            _code(f"""
                for seed in range({splits}):
                    split = split_by_id(days.ids, seed)
                    predictions(features(days), bmi, split)
            """),
            _over_splits,
        ),
    )
