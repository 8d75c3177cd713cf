# docker build --tag quadflow . && docker run --rm quadflow            # make test
# docker run --rm --volume "$PWD/out:/out" quadflow make demo          # copy learning-curves.png from /quadflow
FROM python:3.12-slim
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends make && rm -rf /var/lib/apt/lists/*
WORKDIR /quadflow
COPY pyproject.toml constraints.txt LICENSE README.md ./
COPY dynamics dynamics
COPY empirical empirical
COPY figures figures
COPY quadflow quadflow
# the environment is a layer of its own: changes of tests and documentation do not build it anew
RUN python -m venv .venv \
 && .venv/bin/python -m pip install --quiet --editable '.[dev]' --constraint constraints.txt \
 && touch .venv/installed
COPY . .
RUN touch .venv/installed
ENV PATH=/quadflow/.venv/bin:$PATH
CMD ["make", "test"]
