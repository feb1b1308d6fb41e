import pytest
from torch_geometric.transforms import Compose

from symgnn_pyg.inference import PoseModel
from symgnn_pyg.transforms import Center
from tests.inference.pipelines import STANDARDIZE


def test_model_card(build, arm, tmp_path):
    model = PoseModel(build(arm), Compose([Center(), STANDARDIZE]),
                      classes=["bow", "cl|ap", "jump", "wave"])  # fmt: skip
    model.save_pretrained(
        tmp_path / "arms",
        license="mit",
        data={"source": "a robot's log", "recordings": 20},
        trained=["bow", "cl|ap"],
        metrics={"error": 0.123456},
        command="python train.py --seed 1",
        unit="mm",
    )
    card = (tmp_path / "arms" / "README.md").read_text()
    for part in (
        'license: "mit"', "# arms", "from_pretrained('arms')",
        "chest, shoulder, elbow, wrist, hand", "- bow\n", "- cl\\|ap\n",
        "- wave (not trained on)", "| recordings | 20 |", "| error | 0.1235 |",
        "| unit | mm |",
        "python train.py --seed 1", "Center(joint=None, per_frame=True), Stand",
        f"{sum(p.numel() for p in model.parameters()):,}",
    ):  # fmt: skip
        assert part in card
    model.save_pretrained(tmp_path / "arms")
    assert "Not stated" in (tmp_path / "arms" / "README.md").read_text()


def test_other_readme_is_kept(build, arm, tmp_path):
    (tmp_path / "README.md").write_text("My project")
    with pytest.warns(UserWarning, match="not a model card .* was kept"):
        PoseModel(build(arm)).save_pretrained(tmp_path)
    assert (tmp_path / "README.md").read_text() == "My project"
    assert PoseModel.from_pretrained(tmp_path).skeleton == arm
