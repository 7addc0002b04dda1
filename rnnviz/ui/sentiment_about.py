"""What the numbers of the Sentiment page are, and whose."""

import streamlit as st


def about(*, tags: bool) -> None:
    """The equations, their sources, and what is easily mistaken.

    Args:
        tags: whether every word is tagged.
    """
    with st.expander("About this page: equations and source"):
        st.latex(r"s = \ln\frac{p_k}{1 - p_k} = z_k - \ln\sum_{j \ne k} e^{z_j}")
        st.latex(
            r"\mathrm{IG}_t = \sum_i (x_{ti} - x'_{ti}) \int_0^1 "
            r"\frac{\partial s(x' + a\,(x - x'))}{\partial x_{ti}}\, da, \qquad "
            r"\sum_t \mathrm{IG}_t = s(x) - s(x')"
        )
        st.markdown(
            "**Integrated gradients** (Sundararajan, Taly and Yan, 2017, *ICML*) of the log-odds "
            "$s$ of class $k$. The baseline $x'$ is no word at all: zeros at every step, which the "
            "network never met in training, so shares are relative to that. The integral is a sum "
            "over 32 points (Gauss and Legendre), or 128 or 512 where the shares would miss the "
            "difference by more than 0.1 %; what they miss is said. **Gradient × input** is the "
            "slope at the sentence itself; **blanked** puts zeros in place of one word (occlusion, "
            "Zeiler and Fergus, 2014); **left out** runs the shorter sentence."
        )
        st.latex(
            r"\mathrm{ECE} = \sum_m \frac{n_m}{n}\,"
            r"\bigl|\mathrm{acc}_m - \mathrm{conf}_m\bigr| \qquad "
            r"\mathrm{Brier} = \frac1n \sum_i \sum_k (p_{ik} - y_{ik})^2"
        )
        st.markdown(
            "**Calibration** (Guo, Pleiss, Sun and Weinberger, 2017, *ICML*): predictions are put "
            "into ten bins by the probability of what was said, and in each its mean is compared "
            "with the share that is right. The error depends on the bins. **Brier** (1950) is over "
            "all classes, twice the square that is often given for two. Intervals are Wilson's "
            "(1927)."
        )
        st.markdown(_TAGS if tags else _SENTIMENT)


_SENTIMENT = (
    "Sentiment as many-to-one is the sheet's (CS230) and the kerasR vignette's, whose IMDB reviews "
    "(500 words, length 100) reach .790 by counting words and .8255 by an LSTM of 32 units. Here a "
    "table of your own serves, and **reviews from a grammar**, whose label follows from a rule: "
    "*not, never, nobody, barely, hardly* and *scarcely* each turn the opinion words after them in "
    "their clause; after *but*, or without *although*, stands the clause that counts. A bag of "
    "words cannot know that: look at the scores on the Train page."
)
_TAGS = (
    "**Entities** are tagged as B (begins), I (goes on) and O (outside), after Ramshaw and Marcus "
    "(1995). An I that follows nothing of its type begins an entity, as in CoNLL-2000's script. A "
    "network of both directions reads what follows a name as well as what came before; one "
    "direction cannot get below the left-to-right limit, which is known here because the rule is: "
    "switch **Both directions** off on the Train page, train again, and see which names are lost."
)
