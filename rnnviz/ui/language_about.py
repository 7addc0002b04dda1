"""What the Language page shows: its equations, its sources, and what was corrected."""

import streamlit as st

ABOUT = r"""
**A language model** gives each next token a probability, and a text the product of them:

$$
p(x_1, \dots, x_T) = \prod_t p(x_t \mid x_1, \dots, x_{t-1}),\qquad
p(x_t = k \mid \cdot) = \frac{\exp s_k}{\sum_j \exp s_j}
$$

with $s$ the head's scores after the network has read $x_{t-1}$. Here it reads on, one token at a
time, and its state is kept: nothing is run again. It begins with zero states. Surprise is
$-\log_2 p$ of the token, in bits. Sources: the cs224d lecture notes, part 4; Karpathy's char-rnn.

**Perplexity** is $\exp$ of the mean cross-entropy in nats, $2$ to its mean in bits. Whoever knows
nothing has $|V|$, the number of tokens. The CS230 cheat sheet writes a product under a root, which
is the same thing; where the root, the mean over tokens, is left out, a longer text is always
worse. The perplexity of a text that the network wrote itself says how sure it was, not how good it
is: only that of a held-out text does.

**Temperature, top-k, top-p**, in this order:

$$
q_k \propto \exp(s_k / \tau),\qquad V_k = \text{the } k \text{ likeliest},\qquad
V_p = \text{the fewest likeliest with } \sum q \ge p
$$

What is left is divided by its sum. $\tau \to 0$ is greedy. Top-k: Fan, Lewis and Dauphin (2018).
Top-p, the nucleus: Holtzman, Buys, Du, Forbes and Choi (2020), *The curious case of neural text
degeneration*: a fixed k keeps too many tokens where the network is sure and too few where it is
not. Of what top-k left, the share p is taken.

**The draw**: the unit interval is cut into stretches of length $q$, the likeliest first; a number
$u$ from the seed and the position alone falls into one. So a forced token changes nothing before
it, and what follows is drawn with the same luck. Branches of one text differ by the choice and by
what came of it, never by another throw.

**Why this token**: gradient times input is
$\frac{\partial \log p(y)}{\partial x_s} \cdot x_s$ with $x_s$ one-hot, in closed form by one scan
backward; occlusion is $\log p(y) - \log p(y \mid x_s \text{ removed})$, the sequence run once more
for every $s$. Sources: Simonyan, Vedaldi and Zisserman (2014); Zeiler and Fergus (2014); Li, Chen,
Hovy and Jurafsky (2016), for text.
"""


def about() -> None:
    """Folded away until it is asked for."""
    with st.expander("About this page: equations and sources"):
        st.markdown(ABOUT)
