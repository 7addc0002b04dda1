"""What people bring, typed and checked. No torch, no Streamlit."""
