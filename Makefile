# `make course` and `make test` are all it takes; each makes .venv from requirements.lock first.
BIN := .venv/bin

.PHONY: course test test-fast check lab demo notebooks tables bench lock clean

course: .venv/.installed  ## all notebooks, headless, in the quick profile
	$(BIN)/lildata course --profile quick

test: .venv/.installed  ## linters, types, and every test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 2 --dist worksteal

test-fast: .venv/.installed  ## the tests that take two minutes
	$(BIN)/python -m pytest -m "not slow"

check: .venv/.installed  ## is everything there?
	$(BIN)/lildata check

lab: .venv/.installed  ## the course in JupyterLab
	$(BIN)/jupyter lab notebooks

demo: .venv/.installed  ## paint styles and tell genres, in a browser
	$(BIN)/lildata demo

notebooks: .venv/.installed  ## run the committed notebooks in place, before a change to them is committed
	$(BIN)/jupyter nbconvert --to notebook --execute --inplace \
		--ExecutePreprocessor.record_timing=False \
		--ExecutePreprocessor.store_widget_state=False notebooks/*.ipynb
	$(BIN)/python scripts/drop_views.py notebooks/*.ipynb

tables: .venv/.installed  ## fill docs/results/ and the README's table from the reports
	$(BIN)/python scripts/tables.py

bench: .venv/.installed  ## side-by-side timings
	$(BIN)/python benchmarks/prepare.py
	$(BIN)/python benchmarks/train.py
	$(BIN)/python benchmarks/crate.py
	$(BIN)/python benchmarks/classify.py
	$(BIN)/python benchmarks/inversion.py
	$(BIN)/python benchmarks/style_transfer.py
	$(BIN)/python benchmarks/lstm.py
	$(BIN)/python benchmarks/resnet.py

lock:  ## write requirements.lock anew (needs uv)
	uv pip compile --universal --extra cpu --extra dask --extra demo --extra dev --extra onnx \
		--python-version 3.11 --quiet pyproject.toml --output-file requirements.lock

clean:  ## what the course made; .venv and pretrained weights stay
	rm -rf build course data/smoke data/quick

.venv/.installed: requirements.lock pyproject.toml scripts/make_venv.sh
	sh scripts/make_venv.sh
