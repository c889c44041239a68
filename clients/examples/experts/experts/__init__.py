"""Three experts to start from: a calculator, a researcher, a reviewer of code."""
