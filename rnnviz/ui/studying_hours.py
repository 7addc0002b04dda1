"""The part of the NHANES study page that says which hours of a day moved a prediction."""

import streamlit as st

from rnnviz.events import RunView
from rnnviz.figures import attribution
from rnnviz.study.attributed import PERSON, Attributed, account, attributed, checked
from rnnviz.study.tables import unit_of_target
from rnnviz.ui import controls, widgets
from rnnviz.ui.components.plot import plot
from rnnviz.ui.layout import pair


def hours(view: RunView) -> None:
    """The mean over a chosen group, and a chosen person; outside of what ticks, for its controls.

    Args:
        view: what is known of the study corrected.
    """
    if view.started is None:
        return
    st.markdown("#### Which hours moved the prediction")
    known = attributed(view)
    if not known:
        st.caption(
            "Once the first split is trained, people of its test part are taken apart here, by "
            "integrated gradients and by occlusion."
        )
        return
    people = {about: one for about, one in known.items() if about.startswith(PERSON)}
    groups = {about: one for about, one in known.items() if about not in people}
    unit = unit_of_target(view)
    st.caption(
        "Bars: integrated gradients, the share of each hour in what is predicted, above what is "
        "predicted for the mean day of the training part. Diamonds, as a check: what changes where "
        "the mean day's hour stands instead. Below: the attention of the same network."
    )
    left, right = pair("study_hours")
    with left:
        _one("Group", "study_group", groups, unit)
    with right:
        _one("Person", "study_person", people, unit)
    st.caption(controls.escaped(checked(list(people.values()), unit)))


def _one(label: str, key: str, known: dict[str, Attributed], unit: str) -> None:
    """A choice of one of these, and its day."""
    widgets.forget_unless(key, list(known))
    who = st.selectbox(label, list(known), key=key, bind="query-params")
    one = known[who]
    figure = attribution.by_hour(
        one.hours, one.occluded, one.attention, title=who, unit=unit, dark=widgets.dark()
    )
    plot(figure, key=f"{key}_hours")
    st.markdown(controls.escaped(account(one, unit)))
