"""The ways in for programs: `POST /predict`, and the API under `/api/v1/` with its page."""
