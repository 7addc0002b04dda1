"""What each view of the Translate page shows: its equations, its sources, what was corrected."""

from collections.abc import Mapping

import streamlit as st

SUTSKEVER = "Sutskever, Vinyals and Le (2014), Sequence to sequence learning with neural networks"
BAHDANAU = (
    "Bahdanau, Cho and Bengio (2015), Neural machine translation by jointly learning to align and "
    "translate"
)
LUONG = (
    "Luong, Pham and Manning (2015), Effective approaches to attention-based neural machine "
    "translation"
)
SHEET = "the CS230 cheat sheet on recurrent networks"

ABOUT: Mapping[str, str] = {
    "page": r"""
The **encoder** reads the source $x_1 \dots x_{T_x}$ and leaves a state $h_s$ for each token. The
**decoder** begins with the encoder's last states, layer by layer, and writes

$$
p(y_t \mid y_{<t}, x) = \mathrm{softmax}(W [d_t; c_t] + b),\qquad d_t =
\mathrm{step}(d_{t-1}, y_{t-1}),\qquad c_t = \sum_s \alpha_{ts} h_s
$$

until END. It learns by $-\frac{1}{T_y} \sum_t \ln p(y_t \mid y_{<t}, x)$ [nats per token].
**Teacher forcing** $f$: while it learns, each token before is the true one with probability $f$
and else the decoder's own likeliest; the control acts while a run goes on.

The five switches are those of the cs224d lecture notes, part 4: encoder and decoder with weights
of their own, or one network for both; what the decoder is told (its own state, $y_{t-1}$, the
encoder's last state); deep; both directions; the source read backwards ({sutskever}). The pairs of
a rule are the same each time, and no source stands in two of the parts.
""",
    "steps": r"""
$$
e_{ts} = \begin{cases} d_t \cdot h_s & \text{dot} \\ d_t \cdot (W h_s) & \text{general} \\
v \cdot \tanh(W_d d_t + W_h h_s) & \text{additive}\end{cases}\qquad
\alpha_{ts} = \frac{\exp e_{ts}}{\sum_k \exp e_{tk}},\quad \sum_s \alpha_{ts} = 1,\qquad
c_t = \sum_s \alpha_{ts} h_s
$$

Dot and general: {luong}; additive: {bahdanau}. The state after the step asks, as in {luong}; in
{bahdanau} it is the one before, and the context goes into the step. Numbers are in float64, from
the weights that the run keeps in float32.
""",
    "alignment": r"""
Row $t$ holds $\alpha_{t1} \dots \alpha_{tT_x}$, which sum to 1. Colours run from 0 to 1 whatever
the sentence. Sources: {bahdanau}, figure 3; {luong}.
""",
    "overwriting": r"""
The row takes the place of $\alpha_t$ before the context is made, and everything after it is
computed anew: $c_t$, $p(y_t)$, and by way of the token that is written all later steps. The scores
stay what they were. The idea is that of Seq2Seq-Vis (Strobelt et al. 2018). Weights in the address
are thousandths.
""",
    "formation": r"""
Weights are kept before training and after at most 50 epochs. The decoder is made to read the true
answer, so a row means the same token at each epoch.
""",
    "beam": r"""
At each step every output in the making is continued by every token, and the $B$ with the highest

$$\ln P(y_1 \dots y_t \mid x) = \sum_{k \le t} \ln p(y_k \mid y_{<k}, x)$$

are kept ({sheet}; {sutskever}). All of them are equally long, so length normalisation decides only
between outputs that have ended, by $\frac{1}{T_y^{\alpha}} \ln P(y \mid x)$: another α needs no
new search. An output that has ended keeps its place, so that the beam narrows. $B = 1$ is greedy.
The search is no proof: an output that begins badly and ends well is lost.
""",
    "errors": r"""
For each wrong output $\hat y$ of the beam search, $P(y^*)$ of the true answer is computed as well,
by letting the decoder write it. If $P(y^*) > P(\hat y)$, the network knows better and the
**search** is at fault: a wider beam can help. Else the **network** is at fault. Compared is what
the search ranks by, $\ln P / T_y^\alpha$ ({sheet}).

$$
\mathrm{BLEU} = \mathrm{BP} \cdot \exp\Bigl(\frac{1}{n} \sum_{k=1}^{n} \ln p_k\Bigr),\qquad
\mathrm{BP} = \min\bigl(1, e^{1 - r/c}\bigr)
$$

with $p_k$ the share of the $k$-grams that were written and stand in the true answer, each counted
no more often than there; $c$ tokens written, $r$ in the answer (Papineni et al. 2002). {sheet} has
$\exp(\frac{1}{n}\sum p_k)$, without the logarithm: that is a mistake, and is larger than 1.
""",
    "lengths": r"""
Right is an output that is the true answer token by token. Without attention all of a source must
fit into one state, so long ones are lost first: {bahdanau}, figure 2. With few held-out sentences
of a length the intervals are wide; they are Wilson's, at 95 %.
""",
    "attribution": r"""
For each written token, given those before it:

$$
\text{gradient} \times \text{input}_{ts} = \frac{\partial \ln p(y_t \mid y_{<t}, x)}{\partial
E_s} \cdot E_s,\qquad \text{occlusion}_{ts} = \ln p(y_t \mid \dots, x) - \ln p(y_t \mid \dots, x
\text{ with } E_s = 0)
$$

with $E_s$ what stands for source token $s$: its embedding, or 1 at its place. The gradient is
exact, in closed form through head, attention, decoder and encoder, all output tokens in one scan.
Positive: the token spoke for $y_t$. Jain and Wallace (2019), Attention is not explanation, show
how far the three can be apart; Wiegreffe and Pinter (2019) answer.
""",
}


def about(view: str) -> None:
    """Folded away until it is asked for."""
    text = ABOUT[view]
    sources = {"sutskever": SUTSKEVER, "bahdanau": BAHDANAU, "luong": LUONG, "sheet": SHEET}
    for name, source in sources.items():
        text = text.replace(f"{{{name}}}", source)
    words = "page" if view == "page" else "view"
    with st.expander(f"About this {words}: equations and sources"):
        st.markdown(text)
