"""The launcher: `streamlit run app.py`. The app itself begins in rnnviz/ui/main.py."""

import streamlit as st

from rnnviz.ui import server

# Streamlit reads this file before it runs it, looking for a plain call of st.App.
app = st.App(server.MAIN, routes=server.routes(), middleware=server.middleware())

if __name__ == "__main__":
    app.run()
