"""What the tables of identity are collected in."""

from sqlalchemy import MetaData

metadata = MetaData()
